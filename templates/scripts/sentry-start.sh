set -eu
# $0 is the command as a person would write it; $1 is how long to wait for the remote signer.
sleep "$1"
shift
exec "$@"
