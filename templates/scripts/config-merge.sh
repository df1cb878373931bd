set -eu
overlays="$HOME/.config"
defaults="$HOME/.tmp/config"

rm -rf "$CONFIG_DIR/node_key.json"
(
	# A key is its owner's alone.
	umask 077
	cp "$overlays/node_key.json" "$CONFIG_DIR/node_key.json"
)

# Written aside first: a merge that fails leaves the former file whole.
for name in config app; do
	if [ -f "$defaults/$name.toml" ]; then
		echo "Merging $name.toml"
		config-merge -f toml "$defaults/$name.toml" "$overlays/$name-overlay.toml" >"$CONFIG_DIR/$name.toml.part"
		mv "$CONFIG_DIR/$name.toml.part" "$CONFIG_DIR/$name.toml"
	fi
done
