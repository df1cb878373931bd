# $1 is the owner's script; its failure is the container's.
sh -c "$1"
echo "The script is done."
