// A dashboard in Grafana's types, with panel options of the plugins. It contains types only and does not run.

import type { GraphFieldConfig } from '@grafana/schema';
import type { Options as Gauge } from '@grafana/schema/dist/types/raw/composable/gauge/panelcfg/x/types.gen';
import type { Options as Heatmap } from '@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/types.gen';
import type { Options as Stat } from '@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type { Options as Table } from '@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type { Options as TimeSeries } from '@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';
import type {
  Dashboard as Any,
  FieldConfig,
  FieldConfigSource,
  Panel,
  RowPanel,
  VariableModel,
} from '@grafana/schema/dist/types/raw/dashboard/x/types.gen';

/** As JSON has it: the words of enumerations, and every field optional, as Grafana has a default for each. */
type Plain<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? Plain<Item>[]
      : T extends object
        ? { [Key in keyof T]?: Plain<T[Key]> }
        : T;

interface Query {
  datasource: { type: 'prometheus'; uid: string };
  editorMode: 'code';
  expr: string;
  format?: 'heatmap' | 'table';
  instant?: boolean;
  legendFormat: string;
  range: boolean;
  refId: string;
}

type PanelOf<Type extends string, Options, Custom = Record<string, never>> = Plain<
  Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'>
> & {
  type: Type;
  options: Plain<Options>;
  fieldConfig: {
    defaults: Plain<Omit<FieldConfig, 'custom'>> & { custom?: Plain<Custom> };
    overrides: FieldConfigSource['overrides'];
  };
  targets: Query[];
};

/** Fields of a variable that Grafana writes and its types leave out. */
type Variable = Plain<VariableModel> & { definition?: string };

export type Dashboard = Plain<Omit<Any, 'panels' | 'templating'>> & {
  templating: { list: Variable[] };
  panels: (
    | PanelOf<'timeseries', TimeSeries, GraphFieldConfig>
    | PanelOf<'stat', Stat>
    | PanelOf<'gauge', Gauge>
    | PanelOf<'heatmap', Heatmap>
    | PanelOf<'table', Table>
    | (Plain<RowPanel> & { type: 'row' })
  )[];
};
