#!/usr/bin/env bash
# Makes the topics of one route and, with a USER, the ACLs that Sagamore needs: setup.sh BOOTSTRAP [USER]
#
# Run it with Kafka's own commands on PATH (kafka-topics.sh, kafka-acls.sh). KAFKA_OPTIONS is given to each of them, for
# example "--command-config admin.properties". COMMANDS, EVENTS, PARTITIONS, REPLICATION, SHARDS say otherwise.
# `sagamore serve` makes missing topics by itself (kafka.createTopics), without replication beyond the broker's default.
set -euo pipefail

bootstrap="${1:?setup.sh BOOTSTRAP [USER]}"
user="${2:-}"
commands="${COMMANDS:-saga.commands}"
events="${EVENTS:-saga.events}"
partitions="${PARTITIONS:-8}"
replication="${REPLICATION:-3}"
shards="${SHARDS:-16}"
read -r -a options <<<"${KAFKA_OPTIONS:-}"

topic() {
    kafka-topics.sh --bootstrap-server "$bootstrap" "${options[@]}" --create --if-not-exists --topic "$1" \
        --partitions "$2" --replication-factor "$replication" \
        --config "min.insync.replicas=$((replication > 1 ? replication - 1 : 1))" "${@:3}"
}

acl() { kafka-acls.sh --bootstrap-server "$bootstrap" "${options[@]}" --add --allow-principal "User:$user" "$@"; }

topic "$commands" "$partitions"
topic "$events" "$partitions"
topic "$commands.dlq" "$partitions"
# It holds no records, only the publishers' positions: a partition for each shard.
topic sagamore.cursors "$shards"

[ -n "$user" ] || exit 0
acl --operation Read --operation Describe --topic "$commands"
acl --operation Write --operation Describe --topic "$events"
acl --operation Write --operation Describe --topic "$commands.dlq"
acl --operation Write --operation Describe --operation Alter --topic sagamore.cursors
acl --operation Read --operation Describe --group sagamore- --resource-pattern-type prefixed
acl --operation Write --operation Describe --transactional-id sagamore- --resource-pattern-type prefixed
