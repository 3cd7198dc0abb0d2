/** The schedule, as planned and as it was: a row for each resource, a bar for each step, and "now". */
import { timeTicks } from 'd3-time';
import React, { useEffect, useId, useMemo, useRef, useState } from 'react';

import type { StepRecord } from '../types';
import { GanttBars, type IPlaces, placesOf } from './gantt-bars';
import { type ILayout, type ISelection, arrows, layOut, select } from './gantt-layout';
import { GanttLegend } from './gantt-legend';
import { type IView, useView } from './gantt-view';
import { type ITaskName, clock, describe, describeGroup, tickLabel } from './gantt-words';
import { useGestures } from './useGestures';
import { useWidth } from './useWidth';

export type { ITaskName } from './gantt-words';

/** So many steps the daemon tells at once: where there are as many, there may be older ones. */
const ASKED = 10_000;
const AXIS = 18;
/** Pixels a label of the axis needs. */
const TICK = 70;
const HELP =
  'Turn the wheel or press + and - to zoom, drag or press the left and right arrows to move, Home to follow now. ' +
  'The up and down arrows go from bar to bar.';

export interface IGanttProps {
  steps: readonly StepRecord[];
  /** Tasks by identifier, as far as they are known. */
  tasks: ReadonlyMap<string, ITaskName>;
  /** Seconds since the epoch by the daemon's clock. */
  now: number;
  /** Seconds shown at first. */
  window?: number;
  /** The moment from which on steps have been asked for. */
  since?: number;
  /** The user looks at times before `since`. */
  onEarlier?: (from: number) => void;
  /** The user wants to know more of a task (its identifier). */
  onTask?: (task: string) => void;
}

export function Gantt(props: IGanttProps): JSX.Element {
  const { steps, tasks, now, window = 300, since, onEarlier, onTask } = props;
  const [box, width] = useWidth();
  const view = useView(now, window);
  const { from, to } = view;
  const layout = useMemo(() => layOut(steps, now), [steps, now]);
  const shown = useMemo(() => select(layout, from, to, width), [layout, from, to, width]);
  const places = useMemo(() => placesOf(shown), [shown]);
  const joined = useMemo(() => arrows(layout, shown), [layout, shown]);
  const [told, setTold] = useState<string | null>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const chart = useRef<SVGSVGElement>(null);
  const help = useId();
  useGestures(box, chart, view);
  useKeptFocus(chart, focused, places);

  const early = since !== undefined && from < since;
  useEffect(() => {
    if (early) {
      onEarlier?.(from);
    }
  }, [early, from, onEarlier]);

  const lines = wordsOf(told, layout, shown, tasks);
  const height = places.height + AXIS;
  return (
    <div className="jp-llmos-Gantt">
      <Toolbar view={view} />
      <div className="jp-llmos-Gantt-scroll" ref={box}>
        <svg
          ref={chart}
          className="jp-llmos-Gantt-chart"
          role="group"
          aria-label="Schedule"
          aria-describedby={help}
          tabIndex={0}
          width={width}
          height={height}
          onKeyDown={event => onKey(event, view, places, setTold)}
        >
          <Axis view={view} width={width} height={height} />
          <GanttBars
            places={places}
            shown={shown}
            arrows={joined.pairs}
            byStep={layout.byStep}
            tasks={tasks}
            view={view}
            width={width}
            top={AXIS}
            focused={focused}
            onTell={setTold}
            onFocus={setFocused}
            onTask={onTask}
          />
          <Now at={((now - from) / (to - from)) * width} width={width} height={height} />
        </svg>
      </div>
      {shown.rows.length === 0 && (
        <p className="jp-llmos-Gantt-note" role="status">
          {early
            ? `Asking for what ran before ${clock(since, now)}.`
            : `Nothing ran or is planned from ${clock(from, now)} to ${clock(to, now)}.`}
        </p>
      )}
      {shown.moreRows > 0 && (
        <p className="jp-llmos-Gantt-note">{`+${shown.moreRows} more resources are not drawn.`}</p>
      )}
      {joined.more > 0 && (
        <p className="jp-llmos-Gantt-note">{`+${joined.more} more arrows are not drawn.`}</p>
      )}
      {steps.length >= ASKED && (
        <p className="jp-llmos-Gantt-note">
          {`Only the ${ASKED.toLocaleString('en-GB')} steps that changed last are known here.`}
        </p>
      )}
      {/* Of one height, and telling of the last bar until there is another: nothing moves under the pointer. */}
      <div className="jp-llmos-Gantt-details" role="region" aria-label="About a step" tabIndex={0}>
        {lines ? (
          lines.map((line, index) => (
            <p key={index} dir="auto">
              {line}
            </p>
          ))
        ) : (
          <p id={help}>{HELP}</p>
        )}
        {lines && (
          <p id={help} hidden>
            {HELP}
          </p>
        )}
      </div>
      <GanttLegend />
    </div>
  );
}

function Toolbar({ view }: { view: IView }): JSX.Element {
  const button = (name: string, sign: string, act: () => void): JSX.Element => (
    <button type="button" className="jp-llmos-Button" aria-label={name} title={name} onClick={act}>
      {sign}
    </button>
  );
  return (
    <div className="jp-llmos-Gantt-toolbar" role="group" aria-label="What the schedule shows">
      {button('Earlier', '◀', () => view.pan(-0.25))}
      {button('Later', '▶', () => view.pan(0.25))}
      {button('Zoom out', '−', () => view.zoom(1.5))}
      {button('Zoom in', '+', () => view.zoom(1 / 1.5))}
      <button
        type="button"
        className="jp-llmos-Button"
        aria-pressed={view.following}
        title="Follow now"
        onClick={view.follow}
      >
        Now
      </button>
    </div>
  );
}

function Axis(props: { view: IView; width: number; height: number }): JSX.Element {
  const { view, width, height } = props;
  const { from, to } = view;
  const count = Math.max(2, Math.floor(width / TICK));
  const ticks = timeTicks(new Date(from * 1000), new Date(to * 1000), count);
  const distance = ticks.length > 1 ? (ticks[1].getTime() - ticks[0].getTime()) / 1000 : 60;
  return (
    <g className="jp-llmos-Gantt-axis" aria-hidden="true">
      {ticks.map(tick => {
        const x = ((tick.getTime() / 1000 - from) / (to - from)) * width;
        return (
          <g key={tick.getTime()} transform={`translate(${x.toFixed(1)},0)`}>
            <line y1={AXIS - 4} y2={height} />
            {x > 20 && x < width - 20 && (
              <text y={AXIS - 6} textAnchor="middle">
                {tickLabel(tick, distance)}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

function Now(props: { at: number; width: number; height: number }): JSX.Element | null {
  const { at, width, height } = props;
  if (!(at >= 0 && at <= width)) {
    return null;
  }
  return (
    <g className="jp-llmos-Gantt-now" transform={`translate(${at.toFixed(1)},0)`}>
      <title>Now, by the daemon's clock</title>
      <line y1={0} y2={height} />
      <path d="M-4,0 L4,0 L0,6 Z" />
    </g>
  );
}

/** What is said below the chart of the bar or group with this key. */
function wordsOf(
  key: string | null,
  layout: ILayout,
  shown: ISelection,
  tasks: ReadonlyMap<string, ITaskName>
): string[] | null {
  if (key === null) {
    return null;
  }
  for (const row of shown.rows) {
    const bar = row.bars.find(one => one.bar.step.id === key)?.bar;
    if (bar) {
      return describe(bar, tasks, layout.byStep);
    }
    const group = row.groups.find(one => `+${one.bars[0].step.id}` === key);
    if (group) {
      return describeGroup(group.bars);
    }
  }
  return null;
}

function onKey(
  event: React.KeyboardEvent<SVGSVGElement>,
  view: IView,
  places: IPlaces,
  setTold: (key: null) => void
): void {
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const chart = event.currentTarget;
  const go = (by: number): void => {
    const current = places.order.indexOf(
      chart.ownerDocument.activeElement?.getAttribute('data-key') ?? ''
    );
    const next = current < 0 ? (by > 0 ? 0 : places.order.length - 1) : current + by;
    focusOn(chart, places.order[Math.min(Math.max(next, 0), places.order.length - 1)]);
  };
  const acts: Record<string, () => void> = {
    '+': () => view.zoom(1 / 1.5),
    '=': () => view.zoom(1 / 1.5),
    '-': () => view.zoom(1.5),
    ArrowLeft: () => view.pan(-0.1),
    ArrowRight: () => view.pan(0.1),
    ArrowUp: () => go(-1),
    ArrowDown: () => go(1),
    Home: view.follow,
    Escape: () => {
      setTold(null);
      chart.focus();
    }
  };
  if (Object.hasOwn(acts, event.key)) {
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  }
}

function focusOn(chart: SVGSVGElement, key: string | undefined): void {
  if (key !== undefined) {
    chart.querySelector<SVGGElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }
}

/** A bar that had the focus and is no longer drawn hands it to the chart, so that the keys go on working. */
function useKeptFocus(
  chart: React.RefObject<SVGSVGElement>,
  focused: string | null,
  places: IPlaces
): void {
  useEffect(() => {
    if (focused === null || places.order.includes(focused)) {
      return;
    }
    const active = chart.current?.ownerDocument.activeElement;
    if (!active || active === chart.current?.ownerDocument.body) {
      chart.current?.focus();
    }
  }, [chart, focused, places]);
}
