{{/* The name of the chart, and of the release's objects. */}}
{{- define "sagamore.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "sagamore.fullname" -}}
{{- $name := include "sagamore.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- /* 55, so that the suffixes of this chart fit into a label of 63. */ -}}
{{- default $full .Values.fullnameOverride | trunc 55 | trimSuffix "-" -}}
{{- end -}}

{{- define "sagamore.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sagamore.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sagamore.labels" -}}
{{ include "sagamore.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "sagamore.serviceAccountName" -}}
{{- default (ternary (include "sagamore.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "sagamore.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{/* Where the pods have the secrets. */}}
{{- define "sagamore.secretFolder" -}}/run/secrets/sagamore{{- end -}}

{{/* The data of the ConfigMap. */}}
{{- define "sagamore.configMapData" -}}
sagamore.yaml: |
  {{- include "sagamore.configuration" . | nindent 2 }}
{{- with .Values.dynamicConfig }}
dynamic.yaml: |
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The volumes that the node and the check before an upgrade share. The argument is a list: the root context, and the
name of the ConfigMap. */}}
{{- define "sagamore.volumes" -}}
{{- $root := first . -}}
- name: configuration
  configMap:
    name: {{ last . }}
{{- with include "sagamore.secretSources" $root }}
- name: secrets
  # Projected and without subPath, so that a renewed certificate appears in the pod.
  projected:
    defaultMode: 0440
    sources:
      {{- . | nindent 6 }}
{{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- end -}}

{{- define "sagamore.volumeMounts" -}}
- name: configuration
  mountPath: /etc/sagamore
  readOnly: true
{{- if include "sagamore.secretSources" . }}
- name: secrets
  mountPath: {{ include "sagamore.secretFolder" . }}
  readOnly: true
{{- end }}
- name: tmp
  mountPath: /tmp
{{- end -}}

{{- define "sagamore.environment" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
