target="$GENESIS_FILE"
