/** The first line of an answer: how it stands, who writes it, how fast, and what it waits for. */
import React, { useEffect, useState } from 'react';

import type { AnswerCell } from '../types';
import type { Clock } from './clock';
import type { AnswerState } from './data';
import { Icon } from './icons';
import { elapsed, plural, seconds } from '../format';

export const STATE_WORDS: Record<AnswerState, string> = {
  waiting: 'waiting',
  writing: 'writing',
  rehearsing: 'rehearsing',
  asking: 'asking',
  running: 'running',
  done: 'done',
  shown: 'shown (not run)',
  failed: 'failed',
  stopped: 'stopped',
  undone: 'undone'
};

interface HeaderProps {
  cell: AnswerCell;
  clock: Pick<Clock, 'now'>;
}

/** The state is read aloud when it changes; figures, which change all the time, are not. */
export function Header({ cell, clock }: HeaderProps): JSX.Element {
  return (
    <div className="jp-llmos-Answer-header" role="status" aria-live="polite" aria-atomic="false">
      <span className={`jp-llmos-Answer-state jp-mod-${cell.state}`}>
        <Icon name={cell.state} />
        {STATE_WORDS[cell.state]}
      </span>
      {cell.state === 'waiting' && cell.ahead !== null && (
        <span>{cell.ahead > 0 ? `${cell.ahead} before it` : 'next'}</span>
      )}
      <span className="jp-llmos-Answer-facts" aria-live="off">
        {cell.state === 'waiting' && cell.starts !== null && (
          <Countdown to={cell.starts} clock={clock} />
        )}
        {cell.doing && <bdi>{cell.doing}</bdi>}
        {cell.model && <bdi>{cell.model}</bdi>}
        {cell.device && <bdi>{cell.device}</bdi>}
        {cell.first_token !== null && <span>first token {seconds(cell.first_token)}</span>}
        {cell.tokens_per_second !== null && (
          <span>{cell.tokens_per_second.toFixed(1)} tokens/s</span>
        )}
        {cell.attempts > 1 && <span>{plural(cell.attempts, 'attempt')}</span>}
        {cell.number !== null && <span>request {cell.number}</span>}
      </span>
    </div>
  );
}

/** When it is expected to start, second by second. */
function Countdown({ to, clock }: { to: number; clock: Pick<Clock, 'now'> }): JSX.Element | null {
  const [now, setNow] = useState(() => clock.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(clock.now()), 1000);
    return () => window.clearInterval(timer);
  }, [clock]);
  if (now === null) {
    return null;
  }
  const left = Math.round(to - now);
  return <span>{left > 0 ? `starts in ${elapsed(left)}` : 'starts any moment'}</span>;
}
