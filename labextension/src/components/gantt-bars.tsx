/** The bars of the schedule, drawn: rows with their names, planned and actual stretches, groups, arrows. */
import React, { memo, useId } from 'react';

import type { IBar, IGroup, ISelection, IShownRow } from './gantt-layout';
import { GanttPatterns } from './gantt-legend';
import { type ITaskName, describe, describeGroup, kindClass, rowName, signOf } from './gantt-words';

const NAME = 16;
const LANE = 22;
const PADDING = 4;
/** Within a lane: the plan above, what ran below. */
const PLAN = { y: 1, height: 6 };
const RAN = { y: 7, height: 14 };
const ONLY = { y: 2, height: 18 };
const NARROWEST = 3;

export interface IPlaces {
  /** The upper edge of each row. */
  tops: Map<string, number>;
  height: number;
  /** Keys of bars and groups, row by row and in the order of time. */
  order: string[];
}

/** Where rows stand, and the order in which the keyboard goes through what is in them. */
export function placesOf(shown: ISelection): IPlaces {
  const tops = new Map<string, number>();
  const order: string[] = [];
  let height = 0;
  for (const row of shown.rows) {
    tops.set(row.key, height);
    height += NAME + Math.max(row.lanes.size, row.more > 0 ? 0 : 1) * LANE + PADDING;
    const items = [
      ...row.bars.map(({ bar }) => ({ key: bar.step.id, start: bar.start })),
      ...row.groups.map(group => ({ key: groupKey(group), start: group.start }))
    ];
    items.sort((a, b) => a.start - b.start);
    order.push(...items.map(item => item.key));
  }
  return { tops, height, order };
}

export function groupKey(group: IGroup): string {
  return `+${group.bars[0].step.id}`;
}

export interface IGanttBarsProps {
  places: IPlaces;
  shown: ISelection;
  arrows: readonly [IBar, IBar][];
  byStep: ReadonlyMap<string, IBar>;
  tasks: ReadonlyMap<string, ITaskName>;
  view: { from: number; to: number };
  width: number;
  top: number;
  focused: string | null;
  /** A bar is pointed at, or has the focus. */
  onTell: (key: string) => void;
  onFocus: (key: string | null) => void;
  onTask?: (task: string) => void;
}

function Bars(props: IGanttBarsProps): JSX.Element {
  const { places, shown, view, width, top, focused } = props;
  const prefix = useId().replaceAll(':', '');
  const x = (at: number): number => {
    const exact = ((at - view.from) / (view.to - view.from)) * width;
    // A little beyond both edges is enough; browsers do not draw very far away rightly.
    return Math.round(Math.min(Math.max(exact, -20), width + 20) * 10) / 10;
  };
  // One of them can be reached with Tab, the others with the arrow keys.
  const reachable = focused !== null && places.order.includes(focused) ? focused : places.order[0];
  const item = (key: string, words: string[], open: (() => void) | undefined): object => ({
    'data-key': key,
    tabIndex: key === reachable ? 0 : -1,
    role: open ? 'button' : 'img',
    'aria-label': words.map(line => (/[.!?…]$/.test(line) ? line : `${line}.`)).join(' '),
    onPointerEnter: () => props.onTell(key),
    onFocus: () => {
      props.onFocus(key);
      props.onTell(key);
    },
    onBlur: () => props.onFocus(null),
    onDoubleClick: open,
    onKeyDown: (event: React.KeyboardEvent) => {
      if (open && event.key === 'Enter') {
        event.stopPropagation();
        open();
      }
    }
  });
  const laneTop = (row: IShownRow, lane: number): number =>
    top + (places.tops.get(row.key) ?? 0) + NAME + lane * LANE;
  const middle = (bar: IBar): number => {
    const row = shown.rows.find(one => one.key === bar.row);
    const inLane = bar.spans.length > 0 ? RAN : ONLY;
    return row ? laneTop(row, row.lanes.get(bar.lane) ?? 0) + inLane.y + inLane.height / 2 : 0;
  };

  return (
    <g>
      <GanttPatterns prefix={prefix} />
      {shown.rows.map(row => (
        <g key={row.key} role="group" aria-label={rowName(row.key)}>
          <line
            className="jp-llmos-Gantt-rule"
            x1={0}
            x2={width}
            y1={top + (places.tops.get(row.key) ?? 0)}
            y2={top + (places.tops.get(row.key) ?? 0)}
          />
          <text className="jp-llmos-Gantt-name" x={4} y={laneTop(row, 0) - 4}>
            {shortName(rowName(row.key), width)}
            {row.more > 0 && ` · +${row.more.toLocaleString('en-GB')} more`}
          </text>
          {row.bars.map(({ bar, lane }) => {
            const words = describe(bar, props.tasks, props.byStep);
            const { onTask } = props;
            const open = onTask && (() => onTask(bar.step.task));
            return (
              <g
                key={bar.step.id}
                className={`jp-llmos-Gantt-bar jp-mod-${bar.step.state}`}
                transform={`translate(0,${laneTop(row, lane)})`}
                {...item(bar.step.id, words, open)}
              >
                <Bar bar={bar} x={x} prefix={prefix} tasks={props.tasks} />
              </g>
            );
          })}
          {row.groups.map(group => (
            <g
              key={groupKey(group)}
              className="jp-llmos-Gantt-bar jp-mod-group"
              transform={`translate(0,${laneTop(row, group.lane)})`}
              {...item(groupKey(group), describeGroup(group.bars), undefined)}
            >
              <Group group={group} x={x} />
            </g>
          ))}
        </g>
      ))}
      <g aria-hidden="true">
        {props.arrows.map(([before, bar]) => (
          <path
            key={`${before.step.id}>${bar.step.id}`}
            className="jp-llmos-Gantt-arrow"
            d={arrow(x(endOf(before)), middle(before), x(startOf(bar)), middle(bar))}
          />
        ))}
      </g>
    </g>
  );
}

/** Drawn again only when something of it has changed, and not whenever the pointer moves. */
export const GanttBars = memo(Bars);

interface IBarProps {
  bar: IBar;
  x: (at: number) => number;
  prefix: string;
  tasks: ReadonlyMap<string, ITaskName>;
}

function Bar({ bar, x, prefix, tasks }: IBarProps): JSX.Element {
  const { step, spans, planned } = bar;
  const left = x(bar.start);
  const whole = Math.max(x(bar.end) - left, NARROWEST);
  const ran = spans.length > 0;
  const plan = ran ? PLAN : ONLY;
  const begin = x(startOf(bar));
  const room = x(endOf(bar)) - Math.max(begin, 0);
  const called = tasks.get(step.task)?.number;
  const label = [called, signOf(step.state)].filter(part => part !== undefined).join(' ');
  return (
    <>
      <rect className="jp-llmos-Gantt-hit" x={left - 1} y={0} width={whole + 2} height={LANE} />
      {planned && (
        <rect
          className="jp-llmos-Gantt-planned"
          x={x(planned.start)}
          width={Math.max(x(planned.end) - x(planned.start), NARROWEST)}
          fill={`url(#${prefix}-planned)`}
          {...plan}
        />
      )}
      {!planned && !ran && (
        <rect className="jp-llmos-Gantt-waits" x={left} width={whole} {...ONLY} />
      )}
      {spans.length > 1 && (
        <path
          className="jp-llmos-Gantt-gap"
          d={`M${x(spans[0].start)},${RAN.y + RAN.height / 2} H${x(spans[spans.length - 1].start)}`}
        />
      )}
      {spans.map((span, index) => (
        <rect
          key={index}
          className="jp-llmos-Gantt-span"
          x={x(span.start)}
          width={Math.max(x(span.end) - x(span.start), NARROWEST)}
          fill={`url(#${prefix}-${kindClass(step.kind)})`}
          {...RAN}
        />
      ))}
      {room >= 7 * label.length + 4 && (
        <text
          className={`jp-llmos-Gantt-label jp-mod-${ran ? kindClass(step.kind) : 'planned'}`}
          x={Math.max(begin, 0) + 3}
          y={ran ? RAN.y + 11 : ONLY.y + 13}
        >
          {label}
        </text>
      )}
    </>
  );
}

function Group({ group, x }: { group: IGroup; x: (at: number) => number }): JSX.Element {
  const left = x(group.start);
  const width = Math.max(x(group.end) - left, NARROWEST);
  const label = String(group.bars.length);
  return (
    <>
      <rect className="jp-llmos-Gantt-group" x={left} width={width} {...RAN} />
      {width >= 7 * label.length + 6 && (
        <text
          className="jp-llmos-Gantt-label jp-mod-group"
          x={Math.max(left, 0) + 3}
          y={RAN.y + 11}
        >
          {label}
        </text>
      )}
    </>
  );
}

/** From where a step ran, or is planned to run. */
function startOf(bar: IBar): number {
  return bar.spans[0]?.start ?? bar.start;
}

function endOf(bar: IBar): number {
  return bar.spans[bar.spans.length - 1]?.end ?? bar.end;
}

/** From the end of one step to the beginning of another, with a point; around where it goes back in time. */
function arrow(x1: number, y1: number, x2: number, y2: number): string {
  const bend = Math.max(8, Math.abs(x2 - x1) / 3);
  const point = `M${x2 - 5},${y2 - 3} L${x2},${y2} L${x2 - 5},${y2 + 3}`;
  return `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2} ${point}`;
}

/** As much of a name as stands in a row; seven pixels a letter. */
function shortName(name: string, width: number): string {
  const letters = Math.max(12, Math.floor((width - 90) / 7));
  return name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
}
