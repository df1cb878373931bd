# $1 is the owner's script; it stops at its first fault, and that is the container's.
sh -eu -c "$1"
echo "The script is done."
