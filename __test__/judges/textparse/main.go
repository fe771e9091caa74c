// Reads expositions with the parsers of Prometheus' server, as a scrape does, and writes what it would store.
//
// Each line of standard input is a request: `{"contentType": "…", "body": "base64"}`. Each line of standard output is the
// answer to one: `{"samples": […], "metadata": {…}}`, or `{"error": "…"}`.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

type request struct {
	ContentType string `json:"contentType"`
	Body        []byte `json:"body"`
}

// A value is text: JSON has neither infinities nor NaN.
type example struct {
	Labels      map[string]string `json:"labels"`
	Value       string            `json:"value"`
	TimestampMs int64             `json:"timestampMs"`
}

type sample struct {
	Labels    map[string]string `json:"labels"`
	Value     string            `json:"value"`
	StartMs   int64             `json:"startMs"`
	Exemplars []example         `json:"exemplars,omitempty"`
}

type metadata struct {
	Type string `json:"type"`
	Help string `json:"help"`
	Unit string `json:"unit"`
}

type answer struct {
	Samples  []sample             `json:"samples"`
	Metadata map[string]*metadata `json:"metadata"`
	Error    string               `json:"error,omitempty"`
}

func main() {
	input := bufio.NewReader(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for {
		line, err := input.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		var wanted request
		if err == nil {
			err = json.Unmarshal(line, &wanted)
		}
		var read answer
		if err == nil {
			read, err = parse(wanted)
		}
		if err != nil {
			read = answer{Error: err.Error()}
		}
		if err := output.Encode(read); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func parser(wanted request) (textparse.Parser, error) {
	symbols := labels.NewSymbolTable()
	options := textparse.ParserOptions{OpenMetricsSkipSTSeries: true}
	if strings.HasPrefix(wanted.ContentType, "application/openmetrics-text; version=2.") {
		return textparse.NewOpenMetrics2Parser(wanted.Body, symbols, options), nil
	}
	return textparse.New(wanted.Body, wanted.ContentType, symbols, options)
}

func parse(wanted request) (answer, error) {
	read := answer{Samples: []sample{}, Metadata: map[string]*metadata{}}
	entries, err := parser(wanted)
	if err != nil {
		return read, err
	}
	of := func(name []byte) *metadata {
		known := read.Metadata[string(name)]
		if known == nil {
			known = &metadata{}
			read.Metadata[string(name)] = known
		}
		return known
	}
	for {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return read, nil
		}
		if err != nil {
			return read, err
		}
		switch entry {
		case textparse.EntryType:
			name, word := entries.Type()
			of(name).Type = string(word)
		case textparse.EntryHelp:
			name, help := entries.Help()
			of(name).Help = string(help)
		case textparse.EntryUnit:
			name, unit := entries.Unit()
			of(name).Unit = string(unit)
		case textparse.EntrySeries:
			_, _, value := entries.Series()
			read.Samples = append(read.Samples, series(entries, value))
		default:
			return read, fmt.Errorf("expected a family or a sample but received an entry of type %d", entry)
		}
	}
}

func series(entries textparse.Parser, value float64) sample {
	var own labels.Labels
	entries.Labels(&own)
	read := sample{Labels: own.Map(), Value: number(value), StartMs: entries.StartTimestamp()}
	var next exemplar.Exemplar
	for entries.Exemplar(&next) {
		shown := example{Labels: next.Labels.Map(), Value: number(next.Value), TimestampMs: next.Ts}
		read.Exemplars = append(read.Exemplars, shown)
		next = exemplar.Exemplar{}
	}
	return read
}

// number writes the shortest digits that identify the value, so no bit is lost.
func number(value float64) string {
	return strconv.FormatFloat(value, 'g', -1, 64)
}
