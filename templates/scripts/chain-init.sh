set -eu
# $0 is the command as a person would write it, for messages; "$@" is the same, word by word.
if [ -d "$CHAIN_HOME/data" ]; then
	echo "The chain is initialized already."
else
	echo "Initializing the chain: $0"
	"$@" --home "$CHAIN_HOME"
fi

# A second home gives the later steps the defaults of this version's configuration. What an
# attempt that failed half-way left there would stop the next one.
rm -rf "$HOME/.tmp/config" "$HOME/.tmp/data"
echo "Writing the defaults of the configuration."
"$@" --home "$HOME/.tmp"
