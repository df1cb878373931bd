set -eu
if [ -e "$ADDRBOOK_FILE" ]; then
	echo "There is an address book already: nothing to do."
	exit 0
fi
