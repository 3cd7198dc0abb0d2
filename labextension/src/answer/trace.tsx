/** The whole story of the task, asked for when the tab is opened. */
import React, { useEffect, useState } from 'react';

import { StoryReport } from '../components/story';
import type { Story } from '../types';
import { sentence } from './actions';

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
      <StoryReport story={known} />
    </>
  );
}
