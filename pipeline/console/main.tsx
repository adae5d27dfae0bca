/** The live page: what the control plane decides, as it decides it. Reads the public routes and nothing else, changes
 *  nothing, and puts every name on the page as text. */

import 'uplot/dist/uPlot.min.css';
import './page.css';
import { render } from 'preact';
import { followControlPlane } from './control-plane.ts';
import { Page } from './page.tsx';

const root = document.getElementById('page');
if (root === null) throw new Error('index.html has no element "page"');

followControlPlane((view) => render(<Page view={view} />, root));
