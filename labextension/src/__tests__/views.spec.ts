/**
 * Rows, lanes and words of the panel are those of the widgets: both read `tests/data/views.json`.
 *
 * Its inputs are what the daemon sends; `tests/widgets/test_views.py` and `tests/test_units.py` read the same file.
 */
import sent from '../../../tests/data/views.json';
import { figures, gpuFigures } from '../components/figures';
import { layOut } from '../components/gantt-layout';
import { describe as described, type ITaskName, KINDS, SIGNS } from '../components/gantt-words';
import { PRIORITIES, rowWords } from '../components/queueRow';
import * as format from '../format';
import type { Queued, Sample, StepRecord } from '../types';

const views = sent as unknown as {
  units: Record<string, [number, string][]>;
  shortened: [string, number, string][];
  priorities: Record<string, number>;
  now: number;
  queue: { queued: Queued; row: object }[];
  schedule: {
    tasks: Record<string, ITaskName>;
    steps: StepRecord[];
    rows: { row: string; lanes: string[][] }[];
    words: Record<string, string[]>;
    kinds: Record<string, string>;
    signs: Record<string, string>;
  };
  machine: { sample: Sample; figures: object; gpus: object[] }[];
};

const { bytes, seconds, elapsed, about, rate } = format;
const units: Record<string, (count: number) => string> = {
  size: bytes,
  seconds,
  elapsed,
  about,
  rate
};

test.each(Object.keys(views.units))('figures are written as in the package: %s', name => {
  const cases = views.units[name];
  expect(cases.map(([count]) => [count, units[name](count)])).toEqual(cases);
});

test('texts are shortened as in the package', () => {
  const cases = views.shortened;
  expect(cases.map(([text, most]) => [text, most, format.shortened(text, most)])).toEqual(cases);
});

test('priorities have the names of the package', () => {
  expect(Object.fromEntries(PRIORITIES)).toEqual(views.priorities);
});

test.each(views.queue.map(({ queued, row }) => [queued.task.text.slice(0, 20), queued, row]))(
  'a row of the queue says what the widgets say: %s',
  (_, queued, row) => expect(rowWords(queued as Queued, views.now)).toEqual(row)
);

test('the schedule has the rows and lanes of the widgets', () => {
  const { rows } = layOut(views.schedule.steps, views.now);
  const lanes = rows.map(({ key, lanes }) => ({
    row: key,
    lanes: lanes.map(bars => bars.map(bar => bar.step.id))
  }));
  expect(lanes).toEqual(views.schedule.rows);
});

test('a step is told as in the widgets', () => {
  const { byStep } = layOut(views.schedule.steps, views.now);
  const tasks = new Map(Object.entries(views.schedule.tasks));
  const told = [...byStep].map(([id, bar]) => [id, described(bar, tasks, byStep)]);
  expect(Object.fromEntries(told)).toEqual(views.schedule.words);
  expect(KINDS).toEqual(views.schedule.kinds);
  expect(SIGNS).toEqual(views.schedule.signs);
});

test.each(views.machine)('the machine is told as in the widgets', ({ sample, ...words }) => {
  expect(figures(sample)).toEqual(words.figures);
  expect(sample.gpus.map(gpuFigures)).toEqual(words.gpus);
});
