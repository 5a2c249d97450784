{{/* The configuration of `sagamore serve`: what the values make, and `config` over it. */}}
{{- define "sagamore.configuration" -}}
{{- $configuration := dict "node" "${POD_NAME}" -}}
{{- $_ := set $configuration "postgres" (include "sagamore.configuration.postgres" . | fromYaml) -}}
{{- if .Values.kafka.enabled -}}
{{- $_ := set $configuration "kafka" (include "sagamore.configuration.kafka" . | fromYaml) -}}
{{- end -}}
{{- $_ := set $configuration "grpc" (include "sagamore.configuration.grpc" . | fromYaml) -}}
{{- $_ := set $configuration "http" (dict "host" "0.0.0.0" "port" .Values.http.port "openForAll" true) -}}
{{- with .Values.authorization.apiKeys -}}
{{- $_ := set $configuration "authorization" (include "sagamore.configuration.authorization" $ | fromYaml) -}}
{{- end -}}
{{- if .Values.dynamicConfig -}}
{{- $_ := set $configuration "dynamicConfig" "dynamic.yaml" -}}
{{- end -}}
{{- mustMergeOverwrite $configuration (mustDeepCopy .Values.config) | toYaml -}}
{{- end -}}

{{- define "sagamore.configuration.postgres" -}}
{{- $folder := printf "%s/postgres" (include "sagamore.secretFolder" .) -}}
{{- with .Values.postgres -}}
{{- if .urlSecret.name -}}
url: file:{{ $folder }}/url
{{- else -}}
host: {{ .host | quote }}
port: {{ .port }}
database: {{ .database | quote }}
user: {{ .user | quote }}
{{- if .passwordSecret.name }}
password: file:{{ $folder }}/password
{{- end }}
tls:
  mode: {{ .tls.mode }}
  {{- if .tls.rootCertificatesSecret.name }}
  rootCertificates: {{ $folder }}/ca.crt
  {{- end }}
  {{- if .tls.clientCertificateSecret }}
  certificate: {{ $folder }}/tls.crt
  key: {{ $folder }}/tls.key
  {{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "sagamore.configuration.kafka" -}}
{{- $folder := printf "%s/kafka" (include "sagamore.secretFolder" .) -}}
{{- with .Values.kafka -}}
{{- $properties := mustDeepCopy .properties -}}
{{- range .secretProperties -}}
{{- $_ := set $properties .property (printf "file:%s/%s" $folder .property) -}}
{{- end -}}
{{- if .rootCertificatesSecret.name -}}
{{- $_ := set $properties "ssl.ca.location" (printf "%s/ca.crt" $folder) -}}
{{- end -}}
{{- if .clientCertificateSecret -}}
{{- $_ := set $properties "ssl.certificate.location" (printf "%s/tls.crt" $folder) -}}
{{- $_ := set $properties "ssl.key.location" (printf "%s/tls.key" $folder) -}}
{{- end -}}
bootstrap: {{ .bootstrap | quote }}
{{- with $properties }}
properties:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .routes }}
routes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "sagamore.configuration.grpc" -}}
{{- $folder := printf "%s/grpc" (include "sagamore.secretFolder" .) -}}
{{- with .Values.grpc -}}
{{- if not (or .tls.secret .plainTextForAll) -}}
{{- fail "grpc.tls.secret is empty: name a Secret with a certificate, or set grpc.plainTextForAll to true" -}}
{{- end -}}
host: 0.0.0.0
port: {{ .port }}
{{- if .tls.secret }}
tls:
  certificate: {{ $folder }}/tls.crt
  key: {{ $folder }}/tls.key
  {{- if .tls.clientRootsKey }}
  clientRoots: {{ $folder }}/client-roots.crt
  {{- end }}
{{- else }}
plainTextForAll: true
{{- end }}
{{- end -}}
{{- end -}}

{{- define "sagamore.configuration.authorization" -}}
{{- $folder := printf "%s/keys" (include "sagamore.secretFolder" .) -}}
apiKeys:
  {{- range .Values.authorization.apiKeys }}
  - name: {{ .name | quote }}
    key: file:{{ $folder }}/{{ .name }}
    permissions:
      {{- toYaml .permissions | nindent 6 }}
  {{- end }}
{{- end -}}

{{/* The Secrets, with their keys as the files that the configuration names. Empty when there are none. */}}
{{- define "sagamore.secretSources" -}}
{{- $files := list -}}
{{- with .Values.postgres -}}
{{- if .urlSecret.name -}}
{{- $files = append $files (dict "secret" .urlSecret "path" "postgres/url") -}}
{{- else -}}
{{- $files = append $files (dict "secret" .passwordSecret "path" "postgres/password") -}}
{{- $files = append $files (dict "secret" .tls.rootCertificatesSecret "path" "postgres/ca.crt") -}}
{{- range $key := list "tls.crt" "tls.key" -}}
{{- $secret := dict "name" $.Values.postgres.tls.clientCertificateSecret "key" $key -}}
{{- $files = append $files (dict "secret" $secret "path" (printf "postgres/%s" $key)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.kafka -}}
{{- if .enabled -}}
{{- range .secretProperties -}}
{{- $files = append $files (dict "secret" .secret "path" (printf "kafka/%s" .property)) -}}
{{- end -}}
{{- $files = append $files (dict "secret" .rootCertificatesSecret "path" "kafka/ca.crt") -}}
{{- range $key := list "tls.crt" "tls.key" -}}
{{- $secret := dict "name" $.Values.kafka.clientCertificateSecret "key" $key -}}
{{- $files = append $files (dict "secret" $secret "path" (printf "kafka/%s" $key)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.grpc.tls -}}
{{- range $key, $file := dict "tls.crt" "tls.crt" "tls.key" "tls.key" .clientRootsKey "client-roots.crt" -}}
{{- if $key -}}
{{- $secret := dict "name" $.Values.grpc.tls.secret "key" $key -}}
{{- $files = append $files (dict "secret" $secret "path" (printf "grpc/%s" $file)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .Values.authorization.apiKeys -}}
{{- $files = append $files (dict "secret" .secret "path" (printf "keys/%s" .name)) -}}
{{- end -}}
{{- $files = concat $files .Values.secretFiles -}}
{{- $sources := list -}}
{{- range $files -}}
{{- if .secret.name -}}
{{- $item := dict "key" .secret.key "path" .path -}}
{{- $sources = append $sources (dict "secret" (dict "name" .secret.name "items" (list $item))) -}}
{{- end -}}
{{- end -}}
{{- if $sources -}}{{- toYaml $sources -}}{{- end -}}
{{- end -}}
