//! The report as one HTML page: style and pictures inside, nothing from elsewhere, light and dark.

use std::fmt::Write as _;

use super::changes::Change;
use super::leaderboard::{Leaderboard, Rating};
use super::plot;
use super::table::number;
use crate::job::Report;
use crate::rank::intransitivity::Circles;
use crate::rank::plan::Planned;

const STYLE: &str = include_str!("page.css");

/// Most rows of a table that are shown.
const MOST_ROWS: usize = 500;

/// The page.
pub fn html(report: &Report, title: &str) -> String {
    let title = escape(title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\n\
         <style>{STYLE}</style></head>\n<body><main>\n<h1>{title}</h1>\n"
    );
    if let Some(board) = report.boards.first() {
        page.push_str(&summary(report, board));
        page.push_str(&ratings(board));
        page.push_str(&section("What changed", &changes(&report.changes)));
    }
    if let Some(matrix) = &report.matrix {
        let text = "<p class=\"note\">Share of the points that the row won against the column; ties count half.</p>";
        page.push_str(&section("Who beats whom", &format!("{text}{}", plot::matrix(matrix))));
    }
    page.push_str(&section("Circles", &report.circles.as_ref().map_or_else(String::new, circles)));
    page.push_str(&section(
        "What to ask next",
        &report.plan.as_ref().map_or_else(String::new, plan),
    ));
    page.push_str(&section("By method", &methods(report)));
    page.push_str("</main></body></html>\n");
    page
}

/// Text made safe for element content and attribute values.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

fn section(title: &str, body: &str) -> String {
    if body.is_empty() {
        String::new()
    } else {
        format!("<section><h2>{title}</h2>\n{body}</section>\n")
    }
}

fn summary(report: &Report, board: &Leaderboard) -> String {
    let tied: f64 = board.ratings.iter().map(|r| r.ties).sum::<f64>() / 2.0;
    let mut facts = vec![
        (board.ratings.len().to_string(), "contestants"),
        (number(board.comparisons), "comparisons"),
    ];
    if board.comparisons > 0.0 && tied > 0.0 {
        facts.push((format!("{:.0}%", 100.0 * tied / board.comparisons), "ties"));
    }
    if let Some(circles) = &report.circles {
        facts.push((format!("{:.0}%", 100.0 * circles.gradient), "explained by strength"));
    }
    let fact =
        |(value, name): &(String, &str)| format!("<li><b>{value}</b><span>{name}</span></li>");
    let mut html =
        format!("<ul class=\"facts\">{}</ul>\n", facts.iter().map(fact).collect::<String>());
    let failures = report.failures.iter().map(|f| format!("{}: {}", f.method, f.error));
    for warning in board.warnings.iter().cloned().chain(failures) {
        let _ = writeln!(html, "<p class=\"warning\">{}</p>", escape(&warning));
    }
    html
}

fn ratings(board: &Leaderboard) -> String {
    let scale = plot::Scale::of(board);
    let rated = board.ratings.iter().any(|r| r.rating.is_some());
    let mut rows = String::new();
    for rating in board.ratings.iter().take(MOST_ROWS) {
        rows.push_str(&row(rating, rated, &scale, board));
    }
    let unit = if rated { "rating" } else { "score" };
    let mut html = format!(
        "<div class=\"scroll\"><table class=\"board\"><thead><tr><th class=\"n\">#</th><th>name</th><th class=\"n\">{unit}</th>\
         <th class=\"plot\">{}</th><th class=\"n\">places</th><th class=\"n\">won</th><th class=\"n\">lost</th>\
         <th class=\"n\">tied</th></tr></thead><tbody>{rows}</tbody></table></div>\n",
        scale.axis()
    );
    if board.ratings.len() > MOST_ROWS {
        let _ =
            writeln!(html, "<p class=\"note\">and {} more.</p>", board.ratings.len() - MOST_ROWS);
    }
    if let (Some(interval), Some(level)) = (&board.interval, board.level) {
        let _ = writeln!(
            html,
            "<p class=\"note\">{} · bars are {:.0}% intervals ({}); a difference of 100 points is a win rate of 64%.</p>",
            escape(&board.method),
            100.0 * level,
            escape(interval)
        );
    }
    if !board.ties.is_empty() {
        let group = |names: &Vec<String>| {
            format!("<li>{}</li>", names.iter().map(|n| escape(n)).collect::<Vec<_>>().join(" · "))
        };
        let list: String = board.ties.iter().take(20).map(group).collect();
        let _ = writeln!(
            html,
            "<details><summary>Groups that cannot be told apart</summary><ul>{list}</ul></details>"
        );
    }
    section("Ratings", &html)
}

fn row(rating: &Rating, rated: bool, scale: &plot::Scale, board: &Leaderboard) -> String {
    let value = if rated {
        rating.rating.map_or("–".into(), |x| format!("{x:.0}"))
    } else {
        number(rating.score)
    };
    let places = match (rating.rank_low, rating.rank_high) {
        (Some(low), Some(high)) if low != high => format!("{low}–{high}"),
        (Some(low), _) => low.to_string(),
        _ => "–".into(),
    };
    let group = if board.ratings.iter().any(|r| r.group > 0) {
        format!(" <span class=\"tag\">group {}</span>", rating.group + 1)
    } else {
        String::new()
    };
    format!(
        "<tr><td class=\"n\">{}</td><td class=\"name\">{}{group}</td><td class=\"n strong\">{value}</td><td class=\"plot\">{}</td>\
         <td class=\"n dim\">{places}</td><td class=\"n dim\">{}</td><td class=\"n dim\">{}</td><td class=\"n dim\">{}</td></tr>\n",
        rating.rank,
        escape(&rating.name),
        scale.bar(rating),
        number(rating.wins),
        number(rating.losses),
        number(rating.ties)
    )
}

fn changes(changes: &[Change]) -> String {
    let line = |change: &Change| {
        let name = escape(&change.name);
        let (class, text) = match (change.rank_before, change.rank_now) {
            (None, _) => ("up", "new".to_owned()),
            (_, None) => ("down", "gone".to_owned()),
            (Some(x), Some(y)) if y < x => ("up", format!("▲ {} places, {x} → {y}", x - y)),
            (Some(x), Some(y)) if y > x => ("down", format!("▼ {} places, {x} → {y}", y - x)),
            (Some(x), _) => ("dim", format!("still {x}")),
        };
        let moved = change.moved.map_or_else(String::new, |m| format!("{m:+.1}"));
        let clear =
            if change.clear { " <span class=\"tag\">beyond the intervals</span>" } else { "" };
        format!(
            "<tr><td class=\"name\">{name}</td><td class=\"{class}\">{text}</td><td class=\"n\">{moved}</td><td>{clear}</td></tr>\n"
        )
    };
    if changes.is_empty() {
        return String::new();
    }
    let rows: String = changes.iter().take(MOST_ROWS).map(line).collect();
    format!("<div class=\"scroll\"><table class=\"small\"><tbody>{rows}</tbody></table></div>\n")
}

fn circles(circles: &Circles) -> String {
    let mut html = plot::shares(circles);
    let verdict = match circles.p {
        Some(p) if p < 0.01 => "One strength per contestant does not describe these comparisons",
        Some(_) => "One strength per contestant describes these comparisons well enough",
        None => "The one-strength model has no finite fit here, so it is not tested",
    };
    let p = circles.p.map_or_else(String::new, |p| {
        if p < 1e-4 { " (p &lt; 0.0001)".into() } else { format!(" (p = {p:.4})") }
    });
    let _ = writeln!(
        html,
        "<p>{verdict}{p}. {} of {} triads run in a circle.</p>",
        circles.cyclic, circles.triads
    );
    let one = |cycle: &crate::rank::intransitivity::Cycle| {
        let step = |(name, share): (&String, &f64)| {
            format!("{} <span class=\"dim\">→ {:.0}% →</span> ", escape(name), 100.0 * share)
        };
        let steps: String = cycle.members.iter().zip(&cycle.shares).map(step).collect();
        format!(
            "<li>{steps}{} <span class=\"dim\">(weakest majority {:.1} σ)</span></li>",
            escape(&cycle.members[0]),
            cycle.z
        )
    };
    if !circles.cycles.is_empty() {
        let list: String = circles.cycles.iter().take(10).map(one).collect();
        let _ = writeln!(html, "<ul class=\"cycles\">{list}</ul>");
    }
    html
}

fn plan(plan: &Planned) -> String {
    let open: Vec<_> = plan.decisions.iter().filter(|d| d.more != Some(0)).take(20).collect();
    let mut html = String::new();
    if open.is_empty() {
        html.push_str("<p>All neighbours of the table are told apart.</p>\n");
    } else {
        let line = |d: &&crate::rank::plan::Decision| {
            let more = d.more.map_or("never".into(), |more| format!("{more} more"));
            format!(
                "<tr><td class=\"name\">{} over {}</td><td class=\"n\">{more}</td></tr>\n",
                escape(&d.better),
                escape(&d.worse)
            )
        };
        let rows: String = open.iter().map(line).collect();
        let _ = writeln!(
            html,
            "<div><h3>Comparisons that a decision needs</h3><div class=\"scroll\"><table class=\"small\"><tbody>{rows}</tbody></table></div></div>"
        );
    }
    if !plan.questions.is_empty() {
        let line = |q: &crate::rank::plan::Question| {
            format!("<li>{} · {}</li>", escape(&q.first), escape(&q.second))
        };
        let list: String = plan.questions.iter().map(line).collect();
        let _ =
            writeln!(html, "<div><h3>Pairs worth asking</h3><ol class=\"pairs\">{list}</ol></div>");
    }
    format!("<div class=\"two\">{html}</div>")
}

/// Places by method, side by side, where there are several.
fn methods(report: &Report) -> String {
    if report.boards.len() < 2 {
        return String::new();
    }
    let head: String = report
        .boards
        .iter()
        .map(|b| format!("<th class=\"n\">{}</th>", escape(b.method.trim_start_matches("rank."))))
        .collect();
    let line = |rating: &Rating| {
        let place = |board: &Leaderboard| {
            board.get(&rating.name).map_or("<td class=\"n dim\">–</td>".into(), |r| {
                let class = if r.rank == rating.rank { "n dim" } else { "n" };
                format!("<td class=\"{class}\">{}</td>", r.rank)
            })
        };
        format!(
            "<tr><td class=\"name\">{}</td>{}</tr>\n",
            escape(&rating.name),
            report.boards.iter().map(place).collect::<String>()
        )
    };
    let rows: String = report.boards[0].ratings.iter().take(MOST_ROWS).map(line).collect();
    format!(
        "<div class=\"scroll\"><table class=\"small\"><thead><tr><th>place by</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("<b a='1'>&\"\u{7}"), "&lt;b a=&#39;1&#39;&gt;&amp;&quot; ");
    }
}
