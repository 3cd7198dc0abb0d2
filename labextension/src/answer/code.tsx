/** The tab with the answer's code. */
import React, { useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';

import type { AnswerCell } from '../types';
import { CodeBlock, PLAIN_ABOVE, type Highlight } from './codeblock';
import type { Runs } from './confidence';
import type { Memory } from './memory';
import { bytes, plural } from '../format';

/** Characters above which code is cut until the user wants all of it, and how many are shown then. */
const CUT_ABOVE = 1_000_000;
const CUT_TO = 200_000;
/** Pixels from the end of the code within which what is written is followed. */
const AT_END = 8;
const NO_RUNS: Runs = [];

interface CodeProps {
  cell: AnswerCell;
  highlight: Highlight;
  /** Whether it is shaded by the model's confidence. */
  shaded: boolean;
  memory: Memory;
  update: (chosen: Partial<Memory>) => void;
  keep: (known: Partial<Memory>) => void;
  onShade: (wanted: boolean) => void;
}

export function Code(props: CodeProps): JSX.Element {
  const { cell, highlight, shaded, memory, update, keep, onShade } = props;
  const box = useRef<HTMLPreElement>(null);
  const host = useRef<HTMLElement>(null);
  const block = useRef<CodeBlock | null>(null);
  const cut = cell.text.length > CUT_ABOVE && !memory.all;
  const text = cut ? cell.text.slice(0, CUT_TO) : cell.text;
  const plain = cell.text.length > PLAIN_ABOVE;
  const tells = cell.confidence.length > 0 && !plain;
  const runs = tells && shaded ? cell.confidence : NO_RUNS;
  const [below, setBelow] = useState<number | null>(null);
  const note = useId();
  const measure = useCallback(() => {
    if (box.current) {
      setBelow(linesBelow(box.current, lineCount(text), lineCount(cell.text)));
    }
  }, [text, cell.text]);

  useLayoutEffect(() => {
    const { current } = box;
    if (!current || !host.current) {
      return;
    }
    block.current ??= new CodeBlock(host.current, highlight);
    const end = current.scrollHeight - current.clientHeight;
    const follows = cell.state === 'writing' && end - current.scrollTop <= AT_END;
    void block.current.show(text, runs, plain);
    if (follows) {
      current.scrollTop = current.scrollHeight;
    }
    measure();
  });
  useEffect(() => {
    // The box is laid out after it was drawn, and anew with the window; not in jsdom.
    if (typeof ResizeObserver === 'undefined' || !box.current) {
      return;
    }
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [measure]);
  useEffect(() => {
    if (box.current && memory.scroll) {
      box.current.scrollTop = memory.scroll;
    }
    // Once: where it was when it was drawn last.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  return (
    <>
      {tells && (
        <div className="jp-llmos-Answer-shading">
          {shaded && <span>shaded where the model was unsure</span>}
          <button
            type="button"
            data-key="confidence"
            aria-pressed={shaded}
            title="Shade the code where the model was unsure"
            onClick={() => onShade(!shaded)}
          >
            Confidence
          </button>
        </div>
      )}
      <pre
        ref={box}
        className="jp-llmos-Answer-code"
        dir="ltr"
        tabIndex={0}
        role="group"
        aria-label="Code"
        aria-describedby={below === null ? undefined : note}
        onScroll={event => {
          keep({ scroll: event.currentTarget.scrollTop });
          measure();
        }}
      >
        <code ref={host} />
      </pre>
      {below !== null && (
        <div id={note} className="jp-llmos-Answer-below">
          {below > 0
            ? `${plural(below, 'more line')} below`
            : `end of the code (${plural(lineCount(cell.text), 'line')})`}
        </div>
      )}
      {cut && (
        <button type="button" data-key="all" onClick={() => update({ all: true })}>
          Show all ({bytes(cell.text.length)})
        </button>
      )}
    </>
  );
}

function lineCount(code: string): number {
  return code.split('\n').length;
}

/**
 * How many lines stand below what is seen of the code, so that nothing runs that nobody has seen; null where all of
 * it is in sight. Lines that wrap count by their share of the height. `drawn`: lines in the box, `all`: of the code.
 */
function linesBelow(box: HTMLElement, drawn: number, all: number): number | null {
  const height = box.scrollHeight;
  if (height - box.clientHeight <= AT_END) {
    return all > drawn ? all - drawn : null;
  }
  const hidden = height - box.clientHeight - box.scrollTop;
  const rest = hidden <= AT_END ? 0 : Math.max(1, Math.round((hidden / height) * drawn));
  return rest + all - drawn;
}
