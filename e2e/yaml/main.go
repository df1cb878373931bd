// Compares cosmos-render's YAML with the reader that Kubernetes uses, sigs.k8s.io/yaml.
//
//	go run . table ../../src/parse/nasty/read.json
//	    writes anew, for each input of the table, what the reader makes of it
//	go run . strings ../../src/parse/nasty/strings.json ../../golden/nasty/strings.yaml
//	    checks that every string comes back from what cosmos-render wrote
//	go run . lines
//	    reads JSON strings line by line and prints what the reader makes of each
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sort"

	"sigs.k8s.io/yaml"
)

// A row of the table. Refused is our own word: the code of the error that cosmos-render gives
// although this reader takes the text.
type row struct {
	Input   string          `json:"input"`
	JSON    json.RawMessage `json:"json,omitempty"`
	Error   bool            `json:"error,omitempty"`
	Refused string          `json:"refused,omitempty"`
}

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "table":
		err = table(os.Args[2])
	case len(os.Args) == 4 && os.Args[1] == "strings":
		err = strings(os.Args[2], os.Args[3])
	case len(os.Args) == 2 && os.Args[1] == "lines":
		err = lines()
	default:
		err = fmt.Errorf("usage: table FILE | strings JSON YAML | lines")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(input string) row {
	text, err := yaml.YAMLToJSON([]byte(input))
	if err != nil {
		return row{Input: input, Error: true}
	}
	return row{Input: input, JSON: text}
}

func encode(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(out.Bytes())
}

func table(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var rows []row
	if err := json.Unmarshal(text, &rows); err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteString("[\n")
	for i, old := range rows {
		now := read(old.Input)
		now.Refused = old.Refused
		out.Write(encode(now))
		if i < len(rows)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("]\n")
	return os.WriteFile(path, out.Bytes(), 0o644)
}

func lines() error {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<26)
	for in.Scan() {
		var input string
		if err := json.Unmarshal(in.Bytes(), &input); err != nil {
			return err
		}
		fmt.Printf("%s\n", encode(read(input)))
	}
	return in.Err()
}

func strings(corpus, written string) error {
	text, err := os.ReadFile(corpus)
	if err != nil {
		return err
	}
	var groups map[string][]string
	if err := json.Unmarshal(text, &groups); err != nil {
		return err
	}
	var names []string
	for name := range groups {
		names = append(names, name)
	}
	sort.Strings(names)
	var all []string
	for _, name := range names {
		all = append(all, groups[name]...)
	}
	if text, err = os.ReadFile(written); err != nil {
		return err
	}
	var got struct {
		Items  []any          `json:"items"`
		Keys   map[string]any `json:"keys"`
		Values map[string]any `json:"values"`
		Nested struct {
			Containers []struct {
				Args [][]any `json:"args"`
				Env  []struct {
					Value any `json:"value"`
				} `json:"env"`
			} `json:"containers"`
		} `json:"nested"`
	}
	raw, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		return err
	}
	bad := 0
	for i, want := range all {
		container := got.Nested.Containers[0]
		places := map[string]any{
			"item":  got.Items[i],
			"key":   got.Keys[want],
			"value": got.Values[fmt.Sprintf("v%03d", i)],
			"arg":   container.Args[0][i],
			"env":   container.Env[i].Value,
		}
		for place, found := range places {
			if found != any(want) {
				bad++
				fmt.Printf("%q as %s came back as %#v\n", want, place, found)
			}
		}
	}
	fmt.Printf("%d strings, %d bad\n", len(all), bad)
	if bad > 0 {
		return fmt.Errorf("not every string came back")
	}
	return nil
}
