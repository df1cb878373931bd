// Reads Kubernetes objects as YAML from standard input, as Kubernetes itself reads them, and prints them as
// a list of JSON. A key that stands twice is an error.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	streams "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

func main() {
	objects, err := read(os.Stdin)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(objects)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(from io.Reader) ([]json.RawMessage, error) {
	objects := []json.RawMessage{}
	documents := streams.NewYAMLReader(bufio.NewReader(from))
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		object, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, text)
		}
		// nothing but comments
		if !bytes.Equal(object, []byte("null")) {
			objects = append(objects, object)
		}
	}
}
