set -eu
# The folder itself is a mount and stays; hidden files go too.
for entry in "$HOME/.tmp"/* "$HOME/.tmp"/.[!.]* "$HOME/.tmp"/..?*; do
	rm -rf -- "$entry"
done
