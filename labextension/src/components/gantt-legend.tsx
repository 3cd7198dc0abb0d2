import React, { useId } from 'react';

import { KIND_CLASSES, STATE_SIGNS, kindName } from './gantt-words';

/** Fills of bars by kind of step: a pattern each, so that nobody depends on the colours. */
export function GanttPatterns({ prefix }: { prefix: string }): JSX.Element {
  return (
    <defs>
      {KIND_CLASSES.map(kind => (
        <pattern
          key={kind}
          id={`${prefix}-${kind}`}
          className={`jp-llmos-Gantt-pattern jp-mod-${kind}`}
          width={8}
          height={8}
          patternUnits="userSpaceOnUse"
        >
          <rect width={8} height={8} />
          {kind === 'run' && <path d="M-2,2 L2,-2 M0,8 L8,0 M6,10 L10,6" />}
          {kind === 'rehearsal' && <path d="M2,2 h1.5 M6,6 h1.5" strokeWidth={1.5} />}
          {kind === 'kernel' && <path d="M0,4 H8" />}
          {kind === 'other' && <path d="M0,4 H8 M4,0 V8" />}
        </pattern>
      ))}
      <pattern
        id={`${prefix}-planned`}
        className="jp-llmos-Gantt-pattern jp-mod-planned"
        width={5}
        height={5}
        patternUnits="userSpaceOnUse"
      >
        <path d="M-1,4 L1,6 M0,0 L5,5 M4,-1 L6,1" />
      </pattern>
    </defs>
  );
}

/** What the fills, signs and lines of the schedule mean. */
export function GanttLegend(): JSX.Element {
  const prefix = useId().replaceAll(':', '');
  const sample = (fill: string, name: string): JSX.Element => (
    <li key={name}>
      <svg width={22} height={12} aria-hidden="true">
        {fill === 'gap' ? (
          <path className="jp-llmos-Gantt-gap" d="M0,6 H22" />
        ) : fill === 'after' ? (
          <path className="jp-llmos-Gantt-arrow" d="M1,6 H15 M12,2 L17,6 L12,10" />
        ) : (
          <rect
            className={fill === 'planned' ? 'jp-llmos-Gantt-planned' : 'jp-llmos-Gantt-span'}
            x={1}
            y={1}
            width={20}
            height={10}
            fill={`url(#${prefix}-${fill})`}
          />
        )}
      </svg>
      {name}
    </li>
  );
  return (
    <div className="jp-llmos-Gantt-legend">
      <svg width={0} height={0} aria-hidden="true">
        <GanttPatterns prefix={prefix} />
      </svg>
      <ul aria-label="Legend">
        {KIND_CLASSES.map(kind => sample(kind, kindName(kind)))}
        {sample('planned', 'as planned')}
        {sample('gap', 'gave way or was paused')}
        {sample('after', 'waited for')}
        {STATE_SIGNS.map(([state, sign]) => (
          <li key={state}>
            <span className="jp-llmos-Gantt-sign" aria-hidden="true">
              {sign}
            </span>
            {state}
          </li>
        ))}
      </ul>
    </div>
  );
}
