/** The trace of a task as the daemon tells it: beneath a row of the history, and in an answer. */
import React from 'react';

import { Findings } from '../answer/findings';
import { Line, Verbatim } from '../answer/words';
import { seconds } from '../format';
import type { Story } from '../types';

export function StoryReport({ story }: { story: Story }): JSX.Element {
  if (story.why.length === 0 && story.lines.length === 0) {
    return <p>Nothing is known of this task yet.</p>;
  }
  return (
    <div className="jp-llmos-Story">
      {story.why.length > 0 && (
        <ul>
          {story.why.map((sentence, i) => (
            <li key={i}>
              <Line text={sentence} />
            </li>
          ))}
        </ul>
      )}
      <ol>
        {story.lines.map((line, i) => (
          <li key={i}>
            <span className="jp-llmos-Story-at">+{seconds(line.seconds)}</span>{' '}
            <Line text={line.what} />
            {line.facts.map((fact, k) => (
              <div key={k}>
                <Line text={fact} />
              </div>
            ))}
            {line.findings.length > 0 && <Findings findings={line.findings} />}
            {line.folds.map((fold, k) => (
              <details key={k}>
                <summary>{fold.title}</summary>
                <Verbatim
                  text={fold.text}
                  label={fold.title}
                  code={fold.code}
                  leftOut={fold.left_out}
                />
              </details>
            ))}
          </li>
        ))}
      </ol>
    </div>
  );
}
