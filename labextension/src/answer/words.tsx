/** Text of others: always text, never markup. */
import React from 'react';

/** One short line; what stands in backticks is code. */
export function Line({ text }: { text: string }): JSX.Element {
  const parts = text.split(/(`[^`\n]+`)/);
  return (
    <span dir="auto">
      {parts.map((part, i) => (i % 2 ? <code key={i}>{part.slice(1, -1)}</code> : part))}
    </span>
  );
}

/** Characters of a long text that are shown. */
const SHOWN = 20_000;

/** A longer text, as it stands: output, a prompt, code of the past. `leftOut`: characters that did not come along. */
export function Verbatim(props: {
  text: string;
  label: string;
  code?: boolean;
  leftOut?: number;
}): JSX.Element {
  const { text, label, code = false, leftOut = 0 } = props;
  const left = Math.max(0, text.length - SHOWN) + leftOut;
  return (
    <pre
      className="jp-llmos-Answer-verbatim"
      dir={code ? 'ltr' : 'auto'}
      tabIndex={0}
      role="group"
      aria-label={label}
    >
      {left > 0 ? `${text.slice(0, SHOWN)}\n… and ${left} characters more` : text}
    </pre>
  );
}

/** The first of many, and how many more there are. */
export function Some<T>(props: {
  of: readonly T[];
  most: number;
  children: (one: T, index: number) => JSX.Element;
  more: (left: number) => JSX.Element;
}): JSX.Element {
  const left = props.of.length - props.most;
  return (
    <>
      {props.of.slice(0, props.most).map(props.children)}
      {left > 0 && props.more(left)}
    </>
  );
}
