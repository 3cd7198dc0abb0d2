/** What the machine is busy with: processors, memory, disk, GPUs, over the last two minutes. */
import React from 'react';

import { bytes } from '../format';
import type { GpuProcess, GpuSample, Sample } from '../types';
import { average, figures, gpuFigures } from './figures';
import { Sparkline } from './sparkline';

export interface IUtilisationProps {
  /** Oldest first, at least one. */
  samples: readonly Sample[];
}

type Figure = (sample: Sample) => number | null | undefined;

export function Utilisation({ samples }: IUtilisationProps): JSX.Element {
  const last = samples[samples.length - 1];
  const words = figures(last);
  const shown = samples.filter(sample => sample.at >= last.at - 120);
  const row = (name: string, value: string, figure: Figure, top: number): JSX.Element => (
    <Row
      key={name}
      name={name}
      value={value}
      figure={figure}
      top={top}
      samples={shown}
      now={last.at}
    />
  );
  const disk = (sample: Sample): number | null =>
    sample.disk_read == null && sample.disk_written == null
      ? null
      : (sample.disk_read ?? 0) + (sample.disk_written ?? 0);
  const diskTop = Math.max(1, ...shown.map(sample => disk(sample) ?? 0));
  return (
    <div className="jp-llmos-Utilisation">
      {row('Processors', words.processors, sample => average(sample.cores), 100)}
      {last.cores.length > 1 && (
        <details className="jp-llmos-Cores">
          <summary>{`Each of ${last.cores.length} processors`}</summary>
          {last.cores.map((busy, core) =>
            row(`Processor ${core + 1}`, percent(busy), sample => sample.cores[core], 100)
          )}
        </details>
      )}
      {row('Memory', words.memory, sample => sample.memory_used, last.memory_total)}
      {words.swap && row('Swap', words.swap, sample => sample.swap_used, last.swap_total)}
      {words.disk && row('Disk', words.disk, disk, diskTop)}
      {last.disk_free != null && (
        <p className="jp-llmos-Aside">{`${bytes(last.disk_free)} of disk free`}</p>
      )}
      {words.no_gpu && <p className="jp-llmos-Aside">{words.no_gpu}</p>}
      {last.gpus.map(gpu => (
        <Gpu key={gpu.id} gpu={gpu} samples={shown} now={last.at} />
      ))}
    </div>
  );
}

interface IRowProps {
  name: string;
  value: string;
  figure: Figure;
  top: number;
  samples: readonly Sample[];
  now: number;
}

function Row({ name, value, figure, top, samples, now }: IRowProps): JSX.Element {
  return (
    <div className="jp-llmos-Figure">
      <span className="jp-llmos-Figure-name">{name}</span>
      <Sparkline
        name={name}
        value={value}
        points={samples.map(sample => [sample.at, figure(sample) ?? null] as const)}
        top={top}
        now={now}
      />
      <span className="jp-llmos-Figure-value" aria-hidden="true">
        {value}
      </span>
    </div>
  );
}

function Gpu(props: { gpu: GpuSample; samples: readonly Sample[]; now: number }): JSX.Element {
  const { gpu, samples, now } = props;
  const past = (figure: (gpu: GpuSample) => number | null | undefined): Figure => {
    return sample => {
      const found = sample.gpus.find(one => one.id === gpu.id);
      return found ? figure(found) : null;
    };
  };
  const { title, busy, memory, facts } = gpuFigures(gpu);
  return (
    <section className="jp-llmos-Gpu" aria-label={title}>
      <p className="jp-llmos-Gpu-name">{title}</p>
      <Row
        name="GPU"
        value={busy}
        figure={past(one => one.percent)}
        top={100}
        samples={samples}
        now={now}
      />
      {memory && (
        <Row
          name="GPU memory"
          value={memory}
          figure={past(one => one.memory_used)}
          top={gpu.memory_total ?? 0}
          samples={samples}
          now={now}
        />
      )}
      {facts && <p className="jp-llmos-Aside">{facts}</p>}
      {gpu.processes.length > 0 && (
        <ul aria-label={`Processes on ${title}`}>
          {gpu.processes.map(process => (
            <li key={process.pid}>{described(process)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function described(process: GpuProcess): string {
  return [
    process.task != null && `task ${process.task}`,
    `${process.name || 'process'} ${process.pid}`,
    process.percent != null && percent(process.percent),
    process.memory_bytes != null && bytes(process.memory_bytes)
  ]
    .filter(Boolean)
    .join(', ');
}

function percent(value: number): string {
  return `${value.toFixed(0)} %`;
}
