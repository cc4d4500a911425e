//! Colours and type, once for every chart of a page.

/// The style sheet that charts need on their page, for light and dark.
///
/// Six hues at most, each with a pattern of its own; all reach a contrast of 4.5 to 1 on their page.
pub const STYLE: &str = "\
.chart{--page:#fff;--ink:#1b2430;--quiet:#55606e;--grid:#dde2e8;--gain:#00609c;--loss:#a84300;\
--s0:#00609c;--s1:#a84300;--s2:#00705c;--s3:#7a3e9d;--s4:#8a6100;--s5:#55606e;\
background:var(--page);max-width:100%;height:auto;font:12px system-ui,sans-serif;font-variant-numeric:tabular-nums}
@media (prefers-color-scheme:dark){.chart{--page:#11161c;--ink:#e6eaf0;--quiet:#a3aebb;--grid:#2c3642;\
--gain:#6cb8f0;--loss:#f2994a;--s0:#6cb8f0;--s1:#f2994a;--s2:#4fc3ab;--s3:#c79be6;--s4:#e3b341;--s5:#a3aebb}}
@media print{.chart{--page:#fff;--ink:#000;--quiet:#333;--grid:#bbb;--gain:#00609c;--loss:#a84300;\
--s0:#00609c;--s1:#a84300;--s2:#00705c;--s3:#7a3e9d;--s4:#8a6100;--s5:#333}}
.chart text{fill:var(--ink)}
.chart .quiet{fill:var(--quiet)}
.chart .grid{stroke:var(--grid);stroke-width:1}
.chart .axis{stroke:var(--quiet);stroke-width:1}
.chart .level{stroke:var(--quiet);stroke-width:1.5;stroke-dasharray:2 3}
.chart .mark{fill:var(--quiet);font-size:13px;letter-spacing:.08em}
.chart .line{fill:none;stroke-width:2;stroke-linejoin:round}
.chart .s0{stroke:var(--s0)}.chart .s1{stroke:var(--s1);stroke-dasharray:7 3}
.chart .s2{stroke:var(--s2);stroke-dasharray:2 3}.chart .s3{stroke:var(--s3);stroke-dasharray:9 3 2 3}
.chart .s4{stroke:var(--s4);stroke-dasharray:5 5}.chart .s5{stroke:var(--s5);stroke-dasharray:1 4}
.chart .f0{fill:var(--s0)}.chart .f1{fill:var(--s1)}.chart .f2{fill:var(--s2)}
.chart .f3{fill:var(--s3)}.chart .f4{fill:var(--s4)}.chart .f5{fill:var(--s5)}
.chart .band{opacity:.18}
.chart .gain{fill:var(--gain)}.chart .loss{fill:var(--loss)}.chart .none{fill:var(--quiet)}
.chart .under{fill:var(--loss);opacity:.35}
.chart .h1{opacity:.15}.chart .h2{opacity:.3}.chart .h3{opacity:.45}.chart .h4{opacity:.6}
@media (forced-colors:active){.chart text{fill:CanvasText}.chart .line{stroke:CanvasText}}
";

/// Most series of one chart: more hues cannot be told apart.
pub(crate) const MOST_SERIES: usize = 6;
