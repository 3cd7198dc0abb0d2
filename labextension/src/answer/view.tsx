/** An answer from top to bottom. Draws plain data; what its buttons do is told it. */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import React from 'react';

import type { AnswerCell, Story } from '../types';
import type { Clock } from './clock';
import { Code } from './code';
import type { Highlight } from './codeblock';
import { isOpen } from './data';
import { Edit, type MakeEditor } from './editor';
import { Findings } from './findings';
import { Header } from './header';
import { Markdown } from './markdown';
import type { Memory } from './memory';
import { offers, type ButtonName, type Standing, type Surroundings } from './offers';
import { RehearsalReport } from './rehearsal';
import { Tabs, type Tab } from './tabs';
import { Toolbar } from './toolbar';
import { TraceReport } from './trace';
import { Line, Some, Verbatim } from './words';

/** What a view needs of JupyterLab. */
export interface ViewTools {
  clock: Pick<Clock, 'now'>;
  highlight: Highlight;
  makeEditor: MakeEditor | null;
  makeMarkdown: () => IRenderMime.IRenderer;
  typesetter: IRenderMime.ILatexTypesetter | null;
}

export interface ViewProps {
  cell: AnswerCell;
  notebook: Surroundings | null;
  standing: Standing;
  memory: Memory;
  shaded: boolean;
  tools: ViewTools;
  /** The user chose something: remember it, and draw anew. */
  update: (chosen: Partial<Memory>) => void;
  /** Remember something that is on screen already. */
  keep: (known: Partial<Memory>) => void;
  onShade: (wanted: boolean) => void;
  onPress: (name: ButtonName) => void;
  onRunEdited: (code: string) => void;
  loadStory: () => Promise<Story>;
}

/** Notes that are shown; the kernel sends a handful. */
const NOTES = 50;

export function AnswerView(props: ViewProps): JSX.Element {
  const { cell, memory, update, tools } = props;
  const buttons = offers(cell, props.notebook, memory.feedback, props.standing).filter(
    offer => offer.name !== 'Edit and run' || tools.makeEditor
  );
  // Before it stands in a notebook it is drawn as it was.
  const editable =
    props.notebook === null ||
    buttons.some(offer => offer.name === 'Edit and run' && !offer.disabled);
  const tabs = tabsOf(props);
  return (
    <>
      <Header cell={cell} clock={tools.clock} />
      {tabs.length > 0 && (
        <Tabs
          label="Parts of the answer"
          tabs={tabs}
          chosen={memory.tab}
          onChoose={tab => update({ tab })}
        />
      )}
      {cell.notes.length > 0 && (
        <ul className="jp-llmos-Answer-notes">
          <Some of={cell.notes} most={NOTES} more={left => <li key="more">and {left} more</li>}>
            {(note, i) => (
              <li key={i}>
                <Line text={note} />
              </li>
            )}
          </Some>
        </ul>
      )}
      {cell.printed && isOpen(cell.state) && (
        <Verbatim text={cell.printed} label="What it has printed so far" />
      )}
      {memory.draft !== null && tools.makeEditor && editable && (
        <Edit
          draft={memory.draft}
          make={tools.makeEditor}
          onChange={draft => props.keep({ draft })}
          onRun={props.onRunEdited}
          onCancel={() => update({ draft: null })}
        />
      )}
      {buttons.length > 0 && <Toolbar offers={buttons} onPress={props.onPress} />}
      <div className="jp-llmos-Answer-said" role="status" dir="auto">
        {memory.said && <Line text={memory.said} />}
      </div>
    </>
  );
}

/** The tabs that have something in them. */
function tabsOf(props: ViewProps): Tab[] {
  const { cell, memory, update, tools } = props;
  const tabs: Tab[] = [];
  if (cell.text && cell.kind === 'code') {
    const panel = (
      <Code
        cell={cell}
        highlight={tools.highlight}
        shaded={props.shaded}
        memory={memory}
        update={update}
        keep={props.keep}
        onShade={props.onShade}
      />
    );
    tabs.push({ id: 'text', title: 'Code', panel });
  } else if (cell.text) {
    const panel = (
      <Markdown
        text={cell.text}
        whole={!isOpen(cell.state)}
        make={tools.makeMarkdown}
        typesetter={tools.typesetter}
      />
    );
    tabs.push({ id: 'text', title: 'Answer', panel });
  }
  if (cell.findings.length > 0) {
    tabs.push({
      id: 'findings',
      title: `Findings (${cell.findings.length})`,
      panel: <Findings findings={cell.findings} />
    });
  }
  if (cell.rehearsal || cell.changes.length > 0) {
    tabs.push({
      id: 'rehearsal',
      title: 'Sandbox',
      panel: <RehearsalReport rehearsal={cell.rehearsal} changes={cell.changes} />
    });
  }
  // Alone it would be open, and ask the daemon for what nobody wanted to see: then it comes with "Why".
  if (cell.task && (tabs.length > 0 || memory.tab === 'trace')) {
    tabs.push({
      id: 'trace',
      title: 'Trace',
      panel: (
        <TraceReport
          known={memory.story}
          state={cell.state}
          knownOf={memory.storyOf}
          load={props.loadStory}
          keep={story => update({ story, storyOf: cell.state })}
        />
      )
    });
  }
  return tabs;
}
