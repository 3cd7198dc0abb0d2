/** What an answer's buttons do. Each returns what to say of it; an empty text where what happens speaks for itself. */
import type { Daemon } from '../request';
import type { Story, Task, Trace } from '../types';
import type { FeedbackKind } from './offers';

/** The daemon, as far as answers ask it. */
export type AnswerDaemon = Pick<Daemon, 'get' | 'post'>;

/** The kernel, as far as stopping needs it. */
export interface Stoppable {
  readonly kernel: string;
  readonly running: boolean;
  interrupt(): Promise<void>;
}

/**
 * Stop an answer. The daemon ends a generation; code that runs in the kernel, rehearsed or for real, ends by an
 * interrupt. `working`: code runs now.
 */
export async function stop(
  daemon: AnswerDaemon,
  task: string,
  notebook: Stoppable | null,
  working: boolean
): Promise<string> {
  let failed = '';
  if (task) {
    try {
      await daemon.post<Task>(`tasks/${encodeURIComponent(task)}/cancel`);
    } catch (error) {
      failed = sentence(error);
    }
  }
  const cancelled = task !== '' && !failed;
  if (cancelled && !(working && notebook?.running)) {
    return '';
  }
  if (!notebook?.kernel) {
    return failed;
  }
  try {
    await notebook.interrupt();
    return '';
  } catch (error) {
    return sentence(error);
  }
}

/** Give a thumb, or take it back. Returns the feedback as it stands. */
export async function thumb(
  daemon: AnswerDaemon,
  task: string,
  feedback: 'up' | 'down' | ''
): Promise<FeedbackKind> {
  const path = `tasks/${encodeURIComponent(task)}/feedback`;
  return (await daemon.post<Task>(path, { feedback })).feedback;
}

/** The thumb that was given. */
export async function feedbackOf(daemon: AnswerDaemon, task: string): Promise<FeedbackKind> {
  return (await daemon.get<Trace>(`tasks/${encodeURIComponent(task)}`)).task.feedback;
}

/** The trace, to be read. */
export async function storyOf(daemon: AnswerDaemon, task: string): Promise<Story> {
  return daemon.get<Story>(`tasks/${encodeURIComponent(task)}/story`);
}

export function sentence(error: unknown): string {
  return error instanceof Error && error.message ? error.message : String(error);
}
