/** Things of the daemon's protocol for tests, complete but for what a test says of them. */
import type { EngineStatus, Pulse, Queued, Sample, StepRecord, Task } from '../types';

export function pulse(given: Partial<Pulse> = {}): Pulse {
  return {
    at: Date.now() / 1000,
    version: '0.1.0',
    protocol: 1,
    daemon: 'a',
    revision: 1,
    running: 0,
    waiting: 0,
    paused: 0,
    engines: [],
    progress: null,
    sample: null,
    ...given
  };
}

export function engine(given: Partial<EngineStatus> = {}): EngineStatus {
  return {
    engine: 'llama.cpp',
    model: 'qwen2.5-coder-1.5b',
    state: 'ready',
    device: 'cpu',
    pid: 1,
    threads: 2,
    slots: 4,
    busy_slots: 1,
    context: 8192,
    memory_bytes: 0,
    pinned: false,
    last_used: 0,
    restarts: 0,
    error: '',
    lacks: [],
    ...given
  };
}

export function sample(given: Partial<Sample> = {}): Sample {
  return {
    at: 1000,
    cores: [10, 30],
    memory_used: 4e9,
    memory_total: 8e9,
    swap_used: 0,
    swap_total: 0,
    disk_read: null,
    disk_written: null,
    disk_free: null,
    gpus: [],
    gpu_why: '',
    engine: null,
    ...given
  };
}

export function task(number: number, given: Partial<Task> = {}, background = true): Task {
  return {
    id: number.toString(16).padStart(32, '0'),
    number,
    kind: 'run',
    text: `task number ${number}`,
    options: {
      mode: 'auto',
      model: 'auto',
      retries: null,
      candidates: null,
      fresh: false,
      timeout: 600,
      max_tokens: 600,
      temperature: 0,
      seed: null,
      context: true,
      use: [],
      background,
      priority: 50,
      deadline: null,
      after: [],
      cores: 1,
      memory_bytes: null,
      gpus: 0,
      on: ''
    },
    session: { id: 'kernel', notebook: '/home/ada/sales.ipynb', pid: 1, started: 0, cell: '' },
    state: 'accepted',
    reason: '',
    created: 1000,
    updated: 1000,
    feedback: '',
    ...given
  };
}

export function queued(
  number: number,
  given: Partial<Task> = {},
  background = true,
  step: StepRecord | null = null
): Queued {
  const asked = task(number, given, background);
  return {
    task: asked,
    step,
    state: asked.state === 'accepted' ? 'waiting' : asked.state,
    priority: step?.priority ?? asked.options.priority,
    why: '',
    more: 0
  };
}

export function step(given: Partial<StepRecord> = {}): StepRecord {
  return {
    id: 'step',
    task: '',
    kind: 'run',
    resource: '',
    state: 'waiting',
    session: '',
    priority: 50,
    after: [],
    created: 1000,
    planned: null,
    spans: [],
    predicted: null,
    predicted_p90: null,
    why: '',
    ...given
  };
}
