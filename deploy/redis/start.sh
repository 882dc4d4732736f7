# Starts Redis in its container with the files of this folder. It writes the passwords from the
# environment as digests.
set -eu
here=$(dirname "$0")
mine=${REDIS_RUN_DIR:-/run/redis}

digest() { printf '%s' "$1" | sha256sum | cut -d ' ' -f 1; }

umask 077
sed -e "s/>API_PASSWORD/#$(digest "$REDIS_API_PASSWORD")/" \
    -e "s/>WORKER_PASSWORD/#$(digest "$REDIS_WORKER_PASSWORD")/" \
    "$here/users.acl" >"$mine/users.acl"
# the image starts in /data; only the containers of its network can connect
sed -e "s|^aclfile .*|aclfile $mine/users.acl|" -e 's|^dir .*|dir .|' -e 's|^bind .*|bind 0.0.0.0|' \
    "$here/redis.conf" >"$mine/redis.conf"
unset REDIS_API_PASSWORD REDIS_WORKER_PASSWORD

exec redis-server "$mine/redis.conf" "$@"
