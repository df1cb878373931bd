echo "Using the default address book."
