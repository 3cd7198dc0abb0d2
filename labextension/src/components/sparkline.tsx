import React from 'react';

export interface ISparklineProps {
  /** What is drawn, for instance "Processor 3". */
  name: string;
  /** The current value in words: its accessible name, and its text. */
  value: string;
  /** [seconds since the epoch, value], oldest first; null where it is not known. */
  points: readonly (readonly [number, number | null])[];
  /** The value at the upper edge. */
  top: number;
  /** Seconds at the right edge, and how many are drawn. */
  now: number;
  span?: number;
}

const WIDTH = 120;
const HEIGHT = 20;

/** The last two minutes of one figure, as a line over a filled area. */
export function Sparkline(props: ISparklineProps): JSX.Element {
  const { name, value, points, top, now, span = 120 } = props;
  const lines = pieces(points, now, span, top);
  return (
    <svg
      className="jp-llmos-Sparkline"
      role="img"
      aria-label={`${name}: ${value}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
    >
      <title>{`${name}: ${value}`}</title>
      {lines.map((line, index) => (
        <g key={index}>
          <polygon
            points={`${line[0][0]},${HEIGHT} ${joined(line)} ${line[line.length - 1][0]},${HEIGHT}`}
          />
          <polyline points={joined(line)} vectorEffect="non-scaling-stroke" />
        </g>
      ))}
    </svg>
  );
}

type Line = [number, number][];

/** Lines between which nothing is known. */
function pieces(points: ISparklineProps['points'], now: number, span: number, top: number): Line[] {
  const lines: Line[] = [];
  let line: Line = [];
  for (const [at, value] of points) {
    if (at < now - span) {
      continue;
    }
    if (value === null || !Number.isFinite(value)) {
      line = [];
      continue;
    }
    if (line.length === 0) {
      lines.push(line);
    }
    const height = top > 0 ? Math.min(1, Math.max(0, value / top)) : 0;
    line.push([round(WIDTH * (1 - (now - at) / span)), round(HEIGHT * (1 - height))]);
  }
  return lines;
}

function joined(line: Line): string {
  return line.map(point => point.join(',')).join(' ');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
