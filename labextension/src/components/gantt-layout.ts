/**
 * Where the bars of a schedule stand: pure functions over plain data, without React and without pixels of a page.
 *
 * Three passes. `layOut` puts every step into a row (its resource) and a lane (steps that overlap stand in lanes below
 * each other). `select` takes what a window of time shows, and draws together what is too narrow to be told apart, so
 * that no more than MAX_DRAWN things are ever drawn. `arrows` joins steps that waited for each other. All times are
 * seconds since the epoch by the daemon's clock.
 *
 * The widgets lay out the same rows and lanes in `llmos_jupyter/widgets/gantt.py`; `tests/data/views.json` holds both to
 * them.
 */
import type { StepRecord } from '../types';

/** Bars and groups of bars that are drawn at the most, and arrows. */
export const MAX_DRAWN = 500;
export const MAX_ARROWS = 200;
/** Rows that are drawn at the most, and lanes of one row. Together they stay below MAX_DRAWN. */
export const MAX_ROWS = 40;
export const MAX_LANES = 12;
/** The key of the row of steps that have no place yet. No resource is called like that. */
export const WAITING = '';

/** A stretch of time. `open`: it still lasts, and ends with "now". */
export interface IStretch {
  start: number;
  end: number;
  open: boolean;
}

/**
 * A step with its place: from `start` to `end` nothing else stands in its lane. That is the time it ran, and only before
 * that the time it is planned: plans that were made at different times may overlap, and would take up a lane each.
 */
export interface IBar {
  step: StepRecord;
  row: string;
  lane: number;
  start: number;
  end: number;
  spans: IStretch[];
  planned: IStretch | null;
}

export interface IRow {
  key: string;
  /** Of each lane its bars in the order of time: they do not overlap. */
  lanes: IBar[][];
  /** Bars for which there was no lane left, by their start. */
  rest: IBar[];
}

export interface ILayout {
  rows: IRow[];
  byStep: Map<string, IBar>;
}

/** Several bars of one lane that are too narrow to be told apart. */
export interface IGroup {
  bars: IBar[];
  lane: number;
  start: number;
  end: number;
}

export interface IShownRow {
  key: string;
  /** Lanes that have something in the window, numbered anew from 0: the new number by that of the layout. */
  lanes: Map<number, number>;
  bars: { bar: IBar; lane: number }[];
  groups: IGroup[];
  /** Steps in the window for which there was no lane. */
  more: number;
}

export interface ISelection {
  rows: IShownRow[];
  /** Rows with something in the window that are not drawn. */
  moreRows: number;
  drawn: number;
}

/** Every step in its row and lane. `now` ends what still lasts. */
export function layOut(steps: readonly StepRecord[], now: number): ILayout {
  const byRow = new Map<string, IBar[]>();
  const byStep = new Map<string, IBar>();
  const last = lastPlaces(steps);
  for (const step of steps) {
    const bar = barOf(step, now, last);
    if (bar === null) {
      continue;
    }
    const bars = byRow.get(bar.row);
    if (bars) {
      bars.push(bar);
    } else {
      byRow.set(bar.row, [bar]);
    }
    byStep.set(step.id, bar);
  }
  const rows = [...byRow].map(([key, bars]) => rowOf(key, bars));
  rows.sort((a, b) => rank(a.key) - rank(b.key) || a.key.localeCompare(b.key));
  return { rows, byStep };
}

/**
 * What a window of time shows, in `width` pixels.
 *
 * Bars of a lane that are both narrower than `gap` pixels and no further apart are drawn as one group that says how many
 * they are. The gap begins with two pixels and grows until few enough things are left.
 */
export function select(layout: ILayout, from: number, to: number, width: number): ISelection {
  const inWindow: IRow[] = [];
  for (const row of layout.rows) {
    const lanes = row.lanes.map(lane => within(lane, from, to)).filter(lane => lane.length > 0);
    const rest = row.rest.filter(bar => bar.end >= from && bar.start <= to);
    if (lanes.length > 0 || rest.length > 0) {
      inWindow.push({ key: row.key, lanes, rest });
    }
  }
  const kept = inWindow.slice(0, MAX_ROWS);
  const moreRows = inWindow.length - kept.length;
  const second = Math.max(to - from, 1e-6) / Math.max(width, 1);
  for (let gap = 2; ; gap *= 2) {
    const rows = kept.map(row => grouped(row, gap * second));
    const drawn = rows.reduce((sum, row) => sum + row.bars.length + row.groups.length, 0);
    // A gap as wide as the window leaves one group a lane, and lanes are limited.
    if (drawn <= MAX_DRAWN || gap > width) {
      return { rows, moreRows, drawn };
    }
  }
}

/** Which of the drawn steps waited for which, where both have a place in a drawn row; `more`: that are not told. */
export function arrows(
  layout: ILayout,
  shown: ISelection
): { pairs: [IBar, IBar][]; more: number } {
  const rows = new Map(shown.rows.map(row => [row.key, row]));
  const pairs: [IBar, IBar][] = [];
  let more = 0;
  for (const row of shown.rows) {
    for (const { bar } of row.bars) {
      for (const id of new Set(bar.step.after)) {
        const before = layout.byStep.get(id);
        if (!before || before === bar || !rows.get(before.row)?.lanes.has(before.lane)) {
          continue;
        }
        if (pairs.length < MAX_ARROWS) {
          pairs.push([before, bar]);
        } else {
          more += 1;
        }
      }
    }
  }
  return { pairs, more };
}

/** Where the newest step of each kind ran, else where such steps run as a rule. */
function lastPlaces(steps: readonly StepRecord[]): Map<string, string> {
  const places = new Map([
    ['generation', 'engine'],
    ['run', 'workers']
  ]);
  const created = new Map<string, number>();
  for (const step of steps) {
    if (step.resource && step.created >= (created.get(step.kind) ?? -Infinity)) {
      created.set(step.kind, step.created);
      places.set(step.kind, step.resource);
    }
  }
  return places;
}

/** A step as a bar, or null where nothing about it has a time that can be drawn. */
function barOf(step: StepRecord, now: number, last: ReadonlyMap<string, string>): IBar | null {
  const over = step.state === 'done' || step.state === 'failed' || step.state === 'cancelled';
  const spans: IStretch[] = [];
  for (const span of step.spans ?? []) {
    if (Number.isFinite(span.start)) {
      const open = typeof span.end !== 'number' && !over;
      // What ended without anybody having seen when, or before it began, is a moment.
      const end = open ? now : (span.end ?? span.start);
      spans.push({ start: span.start, end: Math.max(end, span.start), open });
    }
  }
  spans.sort((a, b) => a.start - b.start);
  const planned = plannedOf(step);
  let start = Infinity;
  let end = -Infinity;
  for (const stretch of spans.length > 0 || !planned ? spans : [planned]) {
    start = Math.min(start, stretch.start);
    end = Math.max(end, stretch.end);
  }
  if (start > end) {
    // No plan and no run: it waits since it was created, or ended without having begun.
    if (!Number.isFinite(step.created)) {
      return null;
    }
    start = step.created;
    end = over ? start : Math.max(start, now);
  }
  const place = step.resource || (planned && last.get(step.kind)) || WAITING;
  return { step, row: place, lane: -1, start, end, spans, planned };
}

function plannedOf(step: StepRecord): IStretch | null {
  const span = step.planned;
  if (!span || !Number.isFinite(span.start)) {
    return null;
  }
  const end = span.end ?? span.start + (step.predicted ?? 0);
  return { start: span.start, end: Math.max(end, span.start), open: false };
}

/** Each bar takes the first lane that is free by then. */
function rowOf(key: string, bars: IBar[]): IRow {
  bars.sort((a, b) => a.start - b.start || a.step.created - b.step.created);
  const lanes: IBar[][] = [];
  const ends: number[] = [];
  const rest: IBar[] = [];
  for (const bar of bars) {
    let lane = ends.findIndex(end => end <= bar.start);
    if (lane < 0 && lanes.length < MAX_LANES) {
      lane = lanes.push([]) - 1;
    }
    if (lane < 0) {
      rest.push(bar);
      continue;
    }
    bar.lane = lane;
    // A moment takes some room too: two of the same moment would hide each other.
    ends[lane] = Math.max(bar.end, bar.start + 1e-3);
    lanes[lane].push(bar);
  }
  return { key, lanes, rest };
}

/** The engine first, then workers, cluster, GPUs, kernels, whatever else there is; last what has no place. */
function rank(key: string): number {
  if (key === WAITING) {
    return 6;
  }
  const order = [
    /^engine/i,
    /^(workers|this machine)/i,
    /^cluster/i,
    /^(gpu|cuda|metal)/i,
    /^kernel/i
  ];
  const found = order.findIndex(pattern => pattern.test(key));
  return found < 0 ? order.length : found;
}

/** The bars of a lane that touch the window: they are in order and do not overlap, so both ends are found by halving. */
function within(lane: readonly IBar[], from: number, to: number): IBar[] {
  const first = firstWhere(lane, bar => bar.end >= from);
  const last = firstWhere(lane, bar => bar.start > to);
  return lane.slice(first, last);
}

function firstWhere(bars: readonly IBar[], holds: (bar: IBar) => boolean): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(bars[middle])) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/** The lanes of a row with their narrow neighbours put together; `gap` in seconds. */
function grouped(row: IRow, gap: number): IShownRow {
  const shown: IShownRow = {
    key: row.key,
    lanes: new Map(),
    bars: [],
    groups: [],
    more: row.rest.length
  };
  row.lanes.forEach((bars, lane) => {
    shown.lanes.set(bars[0].lane, lane);
    let group: IBar[] = [];
    const close = () => {
      if (group.length === 1) {
        shown.bars.push({ bar: group[0], lane });
      } else if (group.length > 1) {
        const start = group[0].start;
        shown.groups.push({ bars: group, lane, start, end: group[group.length - 1].end });
      }
      group = [];
    };
    for (const bar of bars) {
      const narrow = bar.end - bar.start < gap;
      const before = group[group.length - 1];
      if (!narrow || (before !== undefined && bar.start - before.end > gap)) {
        close();
      }
      if (narrow) {
        group.push(bar);
      } else {
        shown.bars.push({ bar, lane });
      }
    }
    close();
  });
  return shown;
}
