/** The tab with the answer's code. */
import React, { useEffect, useLayoutEffect, useRef } from 'react';

import type { AnswerCell } from '../types';
import { CodeBlock, PLAIN_ABOVE, type Highlight } from './codeblock';
import type { Runs } from './confidence';
import type { Memory } from './memory';
import { bytes } from './text';

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
  });
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
        onScroll={event => keep({ scroll: event.currentTarget.scrollTop })}
      >
        <code ref={host} />
      </pre>
      {cut && (
        <button type="button" data-key="all" onClick={() => update({ all: true })}>
          Show all ({bytes(cell.text.length)})
        </button>
      )}
    </>
  );
}
