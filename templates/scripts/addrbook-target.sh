target="$ADDRBOOK_FILE"
