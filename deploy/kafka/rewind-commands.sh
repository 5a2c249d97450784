#!/usr/bin/env bash
# Has Sagamore read commands again: rewind-commands.sh BOOTSTRAP INSTALLATION TIME [TOPIC…]
#
# For a database that was restored to TIME (UTC, 2026-11-29T16:00:00.000; better a minute too early: commands that the
# database knows are recognized and have no effect). INSTALLATION is the answer to "select id from
# sagamore.installation", and each TOPIC a command topic of the routes (saga.commands). Stop all nodes before. Run it
# with Kafka's own commands on PATH; KAFKA_OPTIONS is given to them, for example "--command-config admin.properties".
# GROUP names the consumer group if the configuration does (kafka.consumerGroup).
set -euo pipefail

bootstrap="${1:?rewind-commands.sh BOOTSTRAP INSTALLATION TIME}"
installation="${2:?the id of the installation}"
time="${3:?the time to which the database went back}"
group="${GROUP:-sagamore-$installation-commands}"
read -r -a options <<<"${KAFKA_OPTIONS:-}"

topics=()
for topic in "${@:4}"; do topics+=(--topic "$topic"); done
[ "${#topics[@]}" -gt 0 ] || topics=(--topic saga.commands)

kafka-consumer-groups.sh --bootstrap-server "$bootstrap" "${options[@]}" --group "$group" "${topics[@]}" \
    --reset-offsets --to-datetime "$time" --execute
