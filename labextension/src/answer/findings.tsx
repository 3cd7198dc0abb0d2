/** What inspection saw. */
import React from 'react';

import type { Finding } from '../types';
import { Icon } from './icons';
import { Line, Some } from './words';

const MOST = 200;

export function Findings({ findings }: { findings: readonly Finding[] }): JSX.Element {
  return (
    <ul className="jp-llmos-Answer-list">
      <Some of={findings} most={MOST} more={left => <li key="more">and {left} more</li>}>
        {(finding, i) => (
          <li key={i}>
            <span className={`jp-llmos-Answer-severity jp-mod-${finding.severity}`}>
              <Icon name={finding.severity} />
              {finding.severity}
            </span>{' '}
            {finding.line !== null && finding.line !== undefined && <>line {finding.line}: </>}
            <Line text={finding.message} />
            {finding.suggestions.length > 0 && (
              <>
                {'; perhaps '}
                {finding.suggestions.map((name, k) => (
                  <React.Fragment key={k}>
                    {k > 0 && ', '}
                    <code dir="auto">{name}</code>
                  </React.Fragment>
                ))}
                ?
              </>
            )}
          </li>
        )}
      </Some>
    </ul>
  );
}
