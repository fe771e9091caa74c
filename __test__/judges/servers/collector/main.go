// Runs an OpenTelemetry collector that writes what it has received: a line of OTLP's JSON for each request, to standard
// output. `--config=yaml:…` has its configuration, in which the exporter is called `lines`.
package main

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry"
)

type lines struct {
	component.StartFunc
	component.ShutdownFunc
	consumer.ConsumeMetricsFunc
}

func (lines) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func write(_ context.Context, metrics pmetric.Metrics) error {
	line, err := new(pmetric.JSONMarshaler).MarshalMetrics(metrics)
	if err == nil {
		_, err = fmt.Println(string(line))
	}
	return err
}

func noConfig() component.Config { return &struct{}{} }

func factories() (otelcol.Factories, error) {
	otlp := otlpreceiver.NewFactory()
	create := func(context.Context, exporter.Settings, component.Config) (exporter.Metrics, error) {
		return lines{ConsumeMetricsFunc: write}, nil
	}
	name := component.MustNewType("lines")
	stable := exporter.WithMetrics(create, component.StabilityLevelStable)
	return otelcol.Factories{
		Receivers: map[component.Type]receiver.Factory{otlp.Type(): otlp},
		Exporters: map[component.Type]exporter.Factory{name: exporter.NewFactory(name, noConfig, stable)},
		Telemetry: telemetry.NewFactory(noConfig),
	}, nil
}

func main() {
	configuration := confmap.ResolverSettings{
		ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory()},
		DefaultScheme:     "yaml",
	}
	command := otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo:              component.BuildInfo{Command: "collector"},
		Factories:              factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: configuration},
	})
	if command.Execute() != nil {
		os.Exit(1)
	}
}
