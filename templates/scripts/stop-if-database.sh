set -eu
for database in "$DATA_DIR"/*.db; do
	if [ -e "$database" ]; then
		echo "There is a database in $DATA_DIR already: nothing to do."
		exit 0
	fi
done
