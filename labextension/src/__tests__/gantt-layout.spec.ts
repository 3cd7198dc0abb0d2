import {
  MAX_DRAWN,
  MAX_LANES,
  MAX_ROWS,
  WAITING,
  arrows,
  layOut,
  select
} from '../components/gantt-layout';
import type { StepRecord } from '../types';

const NOW = 1_000_000;

function step(changes: Partial<StepRecord>): StepRecord {
  return {
    id: 'a',
    task: 't',
    kind: 'run',
    resource: 'workers',
    state: 'done',
    session: '',
    priority: 50,
    after: [],
    created: NOW - 100,
    planned: null,
    spans: [],
    predicted: null,
    predicted_p90: null,
    why: '',
    ...changes
  };
}

const span = (start: number, end: number | null): { start: number; end: number | null } => ({
  start,
  end
});

test('steps of one resource that overlap stand in lanes, others share one', () => {
  const { rows } = layOut(
    [
      step({ id: 'a', spans: [span(10, 20)] }),
      step({ id: 'b', spans: [span(15, 25)] }),
      step({ id: 'c', spans: [span(20, 30)] })
    ],
    NOW
  );
  expect(rows).toHaveLength(1);
  expect(rows[0].lanes.map(lane => lane.map(bar => bar.step.id))).toEqual([['a', 'c'], ['b']]);
});

test('rows stand in the order of engine, workers, cluster, GPUs, kernels, others, no place', () => {
  const names = ['kernel of b.ipynb', 'zebra', 'gpu 0', 'workers', '', 'engine', 'cluster'];
  const { rows } = layOut(
    names.map(resource => step({ id: resource, resource, spans: [span(1, 2)] })),
    NOW
  );
  expect(rows.map(row => row.key)).toEqual([
    'engine',
    'workers',
    'cluster',
    'gpu 0',
    'kernel of b.ipynb',
    'zebra',
    WAITING
  ]);
});

test('what waits stands where it is planned, and without a plan in the row of no place until now', () => {
  const waiting = { resource: '', state: 'waiting' as const };
  const { byStep } = layOut(
    [
      step({ id: 'g', kind: 'generation', planned: span(NOW + 5, NOW + 9), ...waiting }),
      step({ id: 'r', planned: span(NOW + 5, NOW + 9), ...waiting }),
      step({ id: 'w', ...waiting })
    ],
    NOW
  );
  expect(byStep.get('g')?.row).toBe('engine');
  expect(byStep.get('r')?.row).toBe('workers');
  expect(byStep.get('w')).toMatchObject({ row: WAITING, start: NOW - 100, end: NOW });
});

test('a bar reaches over all its spans, and over its plan only before it runs', () => {
  const { byStep } = layOut(
    [step({ state: 'running', planned: span(5, 40), spans: [span(30, null), span(10, 20)] })],
    50
  );
  const bar = byStep.get('a');
  expect(bar).toMatchObject({ start: 10, end: 50, planned: { start: 5, end: 40, open: false } });
  expect(bar?.spans).toEqual([
    { start: 10, end: 20, open: false },
    { start: 30, end: 50, open: true }
  ]);
});

test('times that cannot be are mended: an end before the start, no end of what has ended, no number', () => {
  const { byStep } = layOut(
    [
      step({ id: 'backwards', spans: [span(20, 10)] }),
      step({ id: 'unseen', state: 'failed', spans: [span(20, null)] }),
      step({ id: 'ahead', state: 'running', spans: [span(NOW + 3600, null)] }),
      step({ id: 'nothing', created: NaN, spans: [span(NaN, 4)] })
    ],
    NOW
  );
  expect(byStep.get('backwards')).toMatchObject({ start: 20, end: 20 });
  expect(byStep.get('unseen')).toMatchObject({ start: 20, end: 20 });
  expect(byStep.get('ahead')).toMatchObject({ start: NOW + 3600, end: NOW + 3600 });
  expect(byStep.has('nothing')).toBe(false);
});

test('kinds and states of a newer daemon are laid out as well', () => {
  const odd = { kind: 'dream', state: 'asleep', resource: '', spans: [span(NOW - 5, null)] };
  const { byStep } = layOut([step(odd as unknown as Partial<StepRecord>)], NOW);
  expect(byStep.get('a')).toMatchObject({ row: WAITING, start: NOW - 5, end: NOW });
});

test('what is only beside the window is not shown', () => {
  const layout = layOut(
    [
      step({ id: 'before', spans: [span(0, 10)] }),
      step({ id: 'in', spans: [span(20, 30)] }),
      step({ id: 'after', spans: [span(50, 60)] })
    ],
    NOW
  );
  const shown = select(layout, 15, 40, 100);
  expect(shown.rows[0].bars.map(({ bar }) => bar.step.id)).toEqual(['in']);
  expect(select(layout, 70, 80, 100).rows).toEqual([]);
});

test('narrow neighbours become a group that counts them, and zooming in tells them apart', () => {
  const many = Array.from({ length: 50 }, (_, i) =>
    step({ id: `s${i}`, spans: [span(i, i + 0.5)] })
  );
  const layout = layOut(many, NOW);
  const far = select(layout, -5_000, 5_000, 300);
  expect(far.rows[0].bars).toHaveLength(0);
  expect(far.rows[0].groups.map(group => group.bars.length)).toEqual([50]);
  const near = select(layout, 0, 50, 500);
  expect(near.rows[0].bars).toHaveLength(50);
});

test('no more is drawn than the limit, and all that is in the window is drawn, in a group, or counted', () => {
  // 10,000 steps on 100 resources, many at once.
  const steps = Array.from({ length: 10_000 }, (_, i) =>
    step({ id: `s${i}`, resource: `kernel of ${i % 100}`, spans: [span(i % 997, (i % 997) + 40)] })
  );
  const layout = layOut(steps, NOW);
  const shown = select(layout, 0, 1_100, 300);
  expect(shown.drawn).toBeLessThanOrEqual(MAX_DRAWN);
  expect(shown.rows).toHaveLength(MAX_ROWS);
  expect(shown.moreRows).toBe(100 - MAX_ROWS);
  for (const row of shown.rows) {
    expect(row.lanes.size).toBeLessThanOrEqual(MAX_LANES);
    const grouped = row.groups.reduce((sum, group) => sum + group.bars.length, 0);
    expect(row.bars.length + grouped + row.more).toBe(100);
  }
});

test('10,000 steps that wait without a plan: a lane each as far as there are some, the others counted', () => {
  const steps = Array.from({ length: 10_000 }, (_, i) =>
    step({ id: `s${i}`, resource: '', state: 'waiting', created: NOW - 1 - i })
  );
  const shown = select(layOut(steps, NOW), NOW - 300, NOW + 100, 300);
  expect(shown.rows[0].bars).toHaveLength(MAX_LANES);
  expect(shown.rows[0].more).toBe(10_000 - MAX_LANES);
});

test('arrows join what is shown with what it waited for, and leave out what is unknown or itself', () => {
  const layout = layOut(
    [
      step({ id: 'a', spans: [span(0, 10)] }),
      step({ id: 'b', spans: [span(10, 20)], after: ['a', 'a', 'b', 'never heard of'] })
    ],
    NOW
  );
  const { pairs, more } = arrows(layout, select(layout, 0, 30, 300));
  expect(pairs.map(([from, to]) => [from.step.id, to.step.id])).toEqual([['a', 'b']]);
  expect(more).toBe(0);
});
