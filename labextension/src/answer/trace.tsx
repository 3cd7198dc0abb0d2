/** The whole story of the task, asked for when the tab is opened. */
import React, { useEffect, useState } from 'react';

import { sentence } from './actions';
import { Icon } from './icons';
import type { Story } from './story';
import { Line, Verbatim } from './words';

interface TraceProps {
  /** What was read before; null: nothing yet. */
  known: Story | null;
  /** The answer's state: when it is another one, there is more to read. */
  state: string;
  /** The state in which `known` was read. */
  knownOf: string;
  load: () => Promise<Story>;
  keep: (story: Story) => void;
}

export function TraceReport({ known, state, knownOf, load, keep }: TraceProps): JSX.Element {
  const [failure, setFailure] = useState('');
  useEffect(() => {
    if (known && knownOf === state) {
      return;
    }
    let left = false;
    load().then(
      story => {
        if (!left) {
          setFailure('');
          keep(story);
        }
      },
      (error: unknown) => {
        if (!left) {
          setFailure(sentence(error));
        }
      }
    );
    return () => {
      left = true;
    };
    // Asked again when the answer has come further, not when callbacks are made anew.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [state]);
  if (!known) {
    return <p role="status">{failure || 'Reading the trace …'}</p>;
  }
  return (
    <>
      {failure && <p role="status">{failure}</p>}
      {known.why.length > 0 && (
        <ul className="jp-llmos-Answer-list">
          {known.why.map((line, i) => (
            <li key={i}>
              <Line text={line} />
            </li>
          ))}
        </ul>
      )}
      <ol className="jp-llmos-Answer-story">
        {known.lines.map(line => (
          <li key={line.key}>
            <span className="jp-llmos-Answer-at">{line.at}</span> <Line text={line.what} />
            {line.findings.map((finding, i) => (
              <div key={i}>
                <Icon name={finding.severity} /> {finding.severity}: <Line text={finding.message} />
              </div>
            ))}
            {line.folds.map((fold, i) => (
              <details key={i}>
                <summary>{fold.title}</summary>
                <Verbatim text={fold.text} label={fold.title} />
              </details>
            ))}
          </li>
        ))}
      </ol>
    </>
  );
}
