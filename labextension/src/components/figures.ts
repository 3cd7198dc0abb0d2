/**
 * The figures of the machine in words; empty where there is nothing to tell.
 *
 * The widgets tell the same in `llmos_jupyter/widgets/utilisation.py`; `tests/data/views.json` holds both to the same words.
 */
import { bytes, rate } from '../format';
import type { GpuSample, Sample } from '../types';

export interface IFigures {
  processors: string;
  memory: string;
  swap: string;
  disk: string;
  no_gpu: string;
  writes: string;
  slots: string;
}

export function figures(sample: Sample): IFigures {
  const { cores, engine, disk_read: read, disk_written: written } = sample;
  const reads = engine && engine.prompt_tokens_per_second > 0;
  return {
    processors: cores.length ? `${average(cores).toFixed(0)} % of ${cores.length}` : '',
    memory: part(sample.memory_used, sample.memory_total),
    swap: sample.swap_total > 0 ? part(sample.swap_used, sample.swap_total) : '',
    disk:
      read == null && written == null
        ? ''
        : `reads ${bytes(read ?? 0)}/s, writes ${bytes(written ?? 0)}/s`,
    no_gpu: sample.gpus.length ? '' : `No GPU is seen. ${sample.gpu_why}`.trim(),
    writes: engine
      ? `writes ${rate(engine.tokens_per_second)} tokens/s${reads ? `, reads ${rate(engine.prompt_tokens_per_second)} tokens/s` : ''}`
      : '',
    slots: engine ? `${engine.busy} of ${engine.slots} slots busy, ${engine.waiting} waiting` : ''
  };
}

export interface IGpuFigures {
  title: string;
  busy: string;
  memory: string;
  facts: string;
}

export function gpuFigures(gpu: GpuSample): IGpuFigures {
  const limit = gpu.watts_limit == null ? '' : ` of ${rate(gpu.watts_limit)} W`;
  const facts = [
    gpu.watts != null && `${rate(gpu.watts)} W${limit}`,
    gpu.celsius != null && `${gpu.celsius.toFixed(0)} °C`,
    gpu.core_mhz != null && `core ${gpu.core_mhz} MHz`,
    gpu.memory_mhz != null && `memory ${gpu.memory_mhz} MHz`
  ];
  return {
    title: gpu.name ? `GPU ${gpu.id} (${gpu.name})` : `GPU ${gpu.id}`,
    busy:
      gpu.percent == null
        ? 'the driver does not tell how busy it is'
        : `${gpu.percent.toFixed(0)} % busy`,
    memory:
      gpu.memory_used == null
        ? ''
        : gpu.memory_total == null
          ? bytes(gpu.memory_used)
          : part(gpu.memory_used, gpu.memory_total),
    facts: facts.filter(Boolean).join(', ')
  };
}

export function average(values: readonly number[]): number {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : 0;
}

function part(used: number, total: number): string {
  return `${bytes(used)} of ${bytes(total)}`;
}
