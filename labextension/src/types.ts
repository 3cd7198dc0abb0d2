/** Names for the types of the daemon's protocol, which `jlpm types` generates into schema.ts. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type AnswerCell = Schemas['AnswerCell'];
export type Code = Schemas['Code'];
export type Config = Schemas['Config'];
export type EngineSample = Schemas['EngineSample'];
export type EngineStatus = Schemas['EngineStatus'];
export type Finding = Schemas['Finding'];
export type GpuProcess = Schemas['GpuProcess'];
export type GpuSample = Schemas['GpuSample'];
export type ModelInfo = Schemas['ModelInfo'];
export type NameChange = Schemas['NameChange'];
export type Protocol = Schemas['Protocol'];
export type Progress = Schemas['Progress'];
export type Pulse = Schemas['Pulse'];
export type Queued = Schemas['Queued'];
export type Rehearsal = Schemas['Rehearsal'];
export type ResourceInfo = Schemas['ResourceInfo'];
export type Sample = Schemas['Sample'];
export type Span = Schemas['Span'];
export type Status = Schemas['Status'];
export type StepRecord = Schemas['StepRecord'];
export type StoredOutput = Schemas['StoredOutput'];
export type Story = Schemas['Story'];
export type Task = Schemas['Task'];
export type TaskState = Task['state'];
export type Thumb = Schemas['Feedback']['feedback'];
export type Trace = Schemas['Trace'];
export type Usage = Schemas['Usage'];

/** Whether a task runs in a worker, and so can stand still, be moved and be tried again; a cell's words run in its notebook. */
export function inBackground(task: Task): boolean {
  return task.kind === 'run' || task.options.background === true;
}
