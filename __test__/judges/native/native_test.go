// Observes values in native histograms of Go's library, at times that a clock of its own says, and writes what a scrape
// would show.
//
// Each line of standard input is a request: `{"buckets": […], "factor": 1.1, …, "steps": [{"advanceMs": 0, "value": 1}]}`.
// Each line of standard output is the answer to one: a list of scrapes in protobuf, one for each step with `"scrape": true`.
//
// It is a test, because only a test can have a clock of its own (testing/synctest).
package native

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

type step struct {
	AdvanceMs int64   `json:"advanceMs"`
	Value     float64 `json:"value"`
	Trace     string  `json:"trace"`
	Scrape    bool    `json:"scrape"`
}

type request struct {
	Buckets          []float64 `json:"buckets"`
	Factor           float64   `json:"factor"`
	MaxBuckets       uint32    `json:"maxBuckets"`
	MinResetMs       int64     `json:"minResetMs"`
	ZeroThreshold    float64   `json:"zeroThreshold"`
	MaxZeroThreshold float64   `json:"maxZeroThreshold"`
	Steps            []step    `json:"steps"`
}

func TestObserve(t *testing.T) {
	input := bufio.NewReader(os.Stdin)
	// The test's own output goes to standard output too, so the answers have a file of their own.
	output := json.NewEncoder(os.NewFile(3, "answers"))
	for {
		line, err := input.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		var wanted request
		if err == nil {
			err = json.Unmarshal(line, &wanted)
		}
		if err != nil {
			t.Fatal(err)
		}
		var scrapes [][]byte
		synctest.Test(t, func(t *testing.T) { scrapes = observe(t, wanted) })
		if err := output.Encode(scrapes); err != nil {
			t.Fatal(err)
		}
	}
}

func observe(t *testing.T, wanted request) [][]byte {
	zero := wanted.ZeroThreshold
	if zero == 0 {
		zero = prometheus.NativeHistogramZeroThresholdZero
	}
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:                            "h",
		Help:                            "Some help",
		Buckets:                         wanted.Buckets,
		NativeHistogramBucketFactor:     wanted.Factor,
		NativeHistogramMaxBucketNumber:  wanted.MaxBuckets,
		NativeHistogramMinResetDuration: time.Duration(wanted.MinResetMs) * time.Millisecond,
		NativeHistogramZeroThreshold:    zero,
		NativeHistogramMaxZeroThreshold: wanted.MaxZeroThreshold,
	})
	registry := prometheus.NewRegistry()
	registry.MustRegister(histogram)
	scrapes := [][]byte{}
	for _, step := range wanted.Steps {
		time.Sleep(time.Duration(step.AdvanceMs) * time.Millisecond)
		// A reset may be due now.
		synctest.Wait()
		if step.Trace == "" {
			histogram.Observe(step.Value)
		} else {
			histogram.(prometheus.ExemplarObserver).ObserveWithExemplar(step.Value, prometheus.Labels{"trace_id": step.Trace})
		}
		if step.Scrape {
			scrapes = append(scrapes, scrape(t, registry))
		}
	}
	return scrapes
}

func scrape(t *testing.T, registry *prometheus.Registry) []byte {
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	encoder := expfmt.NewEncoder(&body, expfmt.NewFormat(expfmt.TypeProtoDelim))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			t.Fatal(err)
		}
	}
	return body.Bytes()
}
