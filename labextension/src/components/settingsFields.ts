/** The daemon's settings as people read them: a label, a sentence of help, and what can be chosen. */
import type { Config } from '../types';

export interface IField {
  label: string;
  help: string;
  /** Values to choose from; without them: yes or no where the value is one, else text, which the daemon judges. */
  choices?: readonly string[];
}

export const FIELDS: Record<keyof Config, IField> = {
  model: {
    label: 'Model',
    help: 'A name, the path of a .gguf file, or auto: the best that fits this machine.'
  },
  device: {
    label: 'Device',
    help: 'Where engines compute: auto, cpu, cuda, cuda:1, metal and others.'
  },
  mode: {
    label: 'Mode',
    help: 'auto runs what passed in the sandbox, ask asks before each run, show never runs.',
    choices: ['auto', 'ask', 'show']
  },
  preference: {
    label: 'Preference',
    help: 'Whether answers are to be fast, the best, or balanced between both.',
    choices: ['fast', 'balanced', 'best']
  },
  retries: { label: 'Repairs', help: 'Rounds of repair, 0 to 10, or auto.' },
  timeout: {
    label: 'Time limit',
    help: 'Seconds for the model to write. Code runs as long as it takes.'
  },
  max_tokens: { label: 'Longest answer', help: 'In tokens, 1 to 32768.' },
  temperature: { label: 'Temperature', help: '0 to 2; 0 always gives the likeliest answer.' },
  rehearsal_budget: {
    label: 'Endless loops',
    help: 'Seconds a loop without an end runs, and a candidate beside the first at least.'
  },
  replay: {
    label: 'Replay',
    help: 'Record answers beside the notebook and give them again.'
  },
  examples: {
    label: 'Examples',
    help: 'Show the model answers that you kept to requests like the new one.'
  },
  warm: {
    label: 'Read ahead',
    help: "Read new cells into the engine's cache while you read."
  },
  yield_cores: {
    label: 'Yield cores',
    help: 'Long cells stand still while the model writes on their cores.'
  },
  threads: {
    label: 'Threads',
    help: 'Threads the engine computes with, or auto: one for each core that other programs leave.'
  },
  model_memory: {
    label: 'Memory of models',
    help: "Gigabytes that loaded models take together, or auto: half of the machine's."
  },
  slots: { label: 'Slots', help: 'Candidates or requests the engine writes at once, 2 to 64.' },
  workers: {
    label: 'Workers',
    help: "Where tasks run: local, or a Dask scheduler's address such as tcp://10.0.0.5:8786."
  },
  context_tokens: { label: 'Context', help: 'Tokens one request may use, at least 1024.' },
  sample_every: {
    label: 'Sample every',
    help: 'Seconds between two looks at processors and GPUs, 0.2 to 60.'
  },
  unload_after: { label: 'Unload after', help: 'Idle seconds until a model is unloaded.' },
  keep_days: {
    label: 'Keep history',
    help: 'Days until a task that has ended is removed from the history.'
  },
  exit_after: { label: 'End after', help: 'Idle seconds until the daemon ends.' }
};

/** Of a setting that a newer daemon has, its name is all that is known. */
export function fieldOf(name: string): IField {
  return Object.hasOwn(FIELDS, name)
    ? FIELDS[name as keyof Config]
    : { label: name, help: 'Not known to this version of the panel.' };
}
