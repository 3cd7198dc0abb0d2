/** What the rehearsal foresaw, and beside it what the real run did. */
import React from 'react';

import type { AnswerCell, NameChange } from '../types';
import type { Rehearsed } from './data';
import { bytes, seconds } from '../format';
import { Line, Some, Verbatim } from './words';

const MOST = 200;

export function RehearsalReport({
  rehearsal,
  changes
}: Pick<AnswerCell, 'rehearsal' | 'changes'>): JSX.Element {
  return (
    <>
      {rehearsal && (
        <>
          <p>
            <Line text={status(rehearsal)} />
          </p>
          {rehearsal.refusals.length > 0 && (
            <Points
              title="Refused"
              points={rehearsal.refusals.map(one => `${one.capability}: ${one.what}`)}
            />
          )}
          {rehearsal.doubts.length > 0 && <Points title="Doubts" points={rehearsal.doubts} />}
          {rehearsal.output && (
            <section>
              <p className="jp-llmos-Answer-title">What it would print</p>
              <Verbatim text={rehearsal.output} label="What it would print" />
            </section>
          )}
        </>
      )}
      <div className="jp-llmos-Answer-beside">
        {rehearsal && rehearsal.status !== 'unavailable' && (
          <Changes title="What it would change" changes={rehearsal.changes} none="no name" />
        )}
        {changes.length > 0 && <Changes title="What the run did" changes={changes} none="" />}
      </div>
    </>
  );
}

function status(rehearsal: Rehearsed): string {
  const { error, reason } = rehearsal;
  if (rehearsal.status === 'unavailable') {
    return `Not rehearsed: ${reason || 'it cannot be here'}.`;
  }
  const memory = rehearsal.peak_bytes > 0 ? `, ${bytes(rehearsal.peak_bytes)} of memory` : '';
  const how = rehearsal.confinement ? ` (${rehearsal.confinement})` : '';
  const line = error?.line ? ` (line ${error.line})` : '';
  const what = {
    passed: 'no error',
    failed: error ? `failed with ${error.type}: ${error.message}${line}` : 'failed',
    refused: 'went as far as it may without your yes',
    unfinished: 'no error so far, then stopped',
    died: 'its copy of the kernel ended'
  }[rehearsal.status];
  return `Rehearsed in ${seconds(rehearsal.seconds)}${memory}${how}: ${what}${reason ? `; ${reason}` : ''}.`;
}

function Points({ title, points }: { title: string; points: readonly string[] }): JSX.Element {
  return (
    <section>
      <p className="jp-llmos-Answer-title">{title}</p>
      <ul className="jp-llmos-Answer-list">
        <Some of={points} most={MOST} more={left => <li key="more">and {left} more</li>}>
          {(point, i) => (
            <li key={i}>
              <Line text={point} />
            </li>
          )}
        </Some>
      </ul>
    </section>
  );
}

const KINDS: Record<NameChange['kind'], string> = {
  created: 'created',
  rebound: 'replaced',
  mutated: 'changed',
  deleted: 'deleted'
};

function Changes(props: {
  title: string;
  changes: readonly NameChange[];
  none: string;
}): JSX.Element {
  if (!props.changes.length) {
    return (
      <p>
        {props.title}: {props.none}.
      </p>
    );
  }
  return (
    <table className="jp-llmos-Answer-changes">
      <caption>{props.title}</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">What</th>
          <th scope="col">Type</th>
          <th scope="col">Detail</th>
        </tr>
      </thead>
      <tbody>
        <Some
          of={props.changes}
          most={MOST}
          more={left => (
            <tr key="more">
              <td colSpan={4}>and {left} more</td>
            </tr>
          )}
        >
          {(change, i) => (
            <tr key={i}>
              <th scope="row">
                <code dir="auto">{change.name}</code>
              </th>
              <td>{KINDS[change.kind]}</td>
              <td dir="auto">{change.type}</td>
              <td dir="auto">{change.detail}</td>
            </tr>
          )}
        </Some>
      </tbody>
    </table>
  );
}
