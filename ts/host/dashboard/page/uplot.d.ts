/** The server serves `uPlot.esm.js` of the package under this name. */
export { default } from 'uplot'
