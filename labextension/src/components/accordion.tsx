import React, { useId } from 'react';

export interface ISection {
  readonly id: string;
  readonly title: string;
  /** Drawn only while the section is open. */
  readonly body: () => JSX.Element;
}

export interface IAccordionProps {
  sections: readonly ISection[];
  open: ReadonlySet<string>;
  onToggle: (section: string) => void;
}

/** Sections one below the other, each of which can be closed. */
export function Accordion({ sections, open, onToggle }: IAccordionProps): JSX.Element {
  const prefix = useId();
  return (
    <>
      {sections.map(({ id, title, body }) => {
        const expanded = open.has(id);
        return (
          <section key={id} className="jp-llmos-Section" aria-labelledby={`${prefix}${id}-head`}>
            <h3>
              <button
                type="button"
                id={`${prefix}${id}-head`}
                aria-expanded={expanded}
                aria-controls={`${prefix}${id}`}
                onClick={() => onToggle(id)}
              >
                {title}
              </button>
            </h3>
            <div id={`${prefix}${id}`} className="jp-llmos-Section-body" hidden={!expanded}>
              {expanded && body()}
            </div>
          </section>
        );
      })}
    </>
  );
}
