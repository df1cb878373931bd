# Restores the archive $1 into $CHAIN_HOME. Archives are larger than what room is left beside
# them, so they are unpacked as they come. A restore that was cut off would look like a database
# to the next start: it is marked while it runs, and taken away where it fails.
set -eu
url="$1"
path="${url%%[?#]*}"
mark="$CHAIN_HOME/.snapshot-restore"
failed="$HOME/.tmp/snapshot-restore-failed"

remove_partial() {
	rm -rf "$DATA_DIR"/*.db
	rm -f "$mark"
}

if [ -e "$mark" ]; then
	echo "An earlier restore was cut off: removing what it left in $DATA_DIR"
	remove_partial
fi

for database in "$DATA_DIR"/*.db; do
	if [ -e "$database" ]; then
		echo "There is a database in $DATA_DIR already: nothing to do."
		exit 0
	fi
done

inflate() {
	case "$path" in
	*.tar.lz4) lz4 -d -c ;;
	*.tar.zst) zstd -d -c ;;
	*.tar.gz | *.tar.gzip) gunzip -c ;;
	*.tar) cat ;;
	esac
}

case "$path" in
*.tar.lz4 | *.tar.zst | *.tar.gz | *.tar.gzip | *.tar) ;;
*)
	echo "$url: the file's type is not known; known are .tar, .tar.gz, .tar.gzip, .tar.lz4 and .tar.zst" >&2
	exit 1
	;;
esac

give_up() {
	echo "$url: the restore failed; removing what it left" >&2
	remove_partial
	exit 1
}

rm -f "$failed"
: >"$mark"
echo "Restoring $url"
# A pipe has the status of its last command only: the others leave a file where they fail.
{ wget -O - "$url" || : >"$failed"; } | { inflate || : >"$failed"; } | tar -xf - -C "$CHAIN_HOME" || give_up
if [ -e "$failed" ]; then
	give_up
fi
rm -f "$mark"
echo "Restored into $CHAIN_HOME"
