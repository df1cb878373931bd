echo "Using the genesis that the chain's init wrote."
mv "$HOME/.tmp/config/genesis.json" "$GENESIS_FILE"
