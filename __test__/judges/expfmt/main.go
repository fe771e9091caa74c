// Reads text expositions with Prometheus' own Go library and writes the result as JSON: every sample, and the problems
// that promlint finds. Grafana's agent uses the same library.
//
// The argument is the exposition's Content-Type, which selects the parser as in a scrape. The exposition is
// read from standard input.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Sample is one line of values. A value is text: JSON has neither infinities nor NaN.
type Sample struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
	Value  string            `json:"value"`
}

// Family is a family as it was read, with only the samples that its type can have.
type Family struct {
	Name    string   `json:"name"`
	Help    string   `json:"help"`
	Type    string   `json:"type"`
	Samples []Sample `json:"samples"`
}

// Reading is the answer of this program.
type Reading struct {
	Families []Family `json:"families"`
	Problems []string `json:"problems"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("expected one argument, a Content-Type, but received %d", len(os.Args)-1)
	}
	exposition, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	reading := Reading{Families: []Family{}, Problems: []string{}}
	format := expfmt.ResponseFormat(http.Header{"Content-Type": {os.Args[1]}})
	if format == expfmt.FmtUnknown {
		return fmt.Errorf("expfmt knows no format %q", os.Args[1])
	}
	decoder := expfmt.NewDecoder(bytes.NewReader(exposition), format)
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		reading.Families = append(reading.Families, read(&family))
	}
	problems, err := promlint.New(bytes.NewReader(exposition)).Lint()
	if err != nil {
		return err
	}
	for _, problem := range problems {
		reading.Problems = append(reading.Problems, problem.Metric+": "+problem.Text)
	}
	return json.NewEncoder(os.Stdout).Encode(reading)
}

func read(family *dto.MetricFamily) Family {
	name := family.GetName()
	answer := Family{Name: name, Help: family.GetHelp(), Type: family.GetType().String(), Samples: []Sample{}}
	for _, metric := range family.GetMetric() {
		add := func(suffix string, value float64, extra ...string) {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			for i := 0; i < len(extra); i += 2 {
				labels[extra[i]] = extra[i+1]
			}
			answer.Samples = append(answer.Samples, Sample{name + suffix, labels, number(value)})
		}
		if counter := metric.Counter; counter != nil {
			add("", counter.GetValue())
		}
		if gauge := metric.Gauge; gauge != nil {
			add("", gauge.GetValue())
		}
		if histogram := metric.Histogram; histogram != nil {
			for _, bucket := range histogram.GetBucket() {
				add("_bucket", float64(bucket.GetCumulativeCount()), "le", number(bucket.GetUpperBound()))
			}
			add("_sum", histogram.GetSampleSum())
			add("_count", float64(histogram.GetSampleCount()))
		}
	}
	return answer
}

// number writes the shortest digits that identify the value, so no bit is lost.
func number(value float64) string {
	return strconv.FormatFloat(value, 'g', -1, 64)
}
