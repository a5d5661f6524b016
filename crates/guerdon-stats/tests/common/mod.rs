//! What the golden tests share: the file, its numbers, and a comparison that counts.

use serde_json::Value;

/// A golden file; `None`, with a message, when it is absent.
#[allow(clippy::print_stderr, reason = "a test says what it skips")]
pub(crate) fn golden(name: &str) -> Option<Value> {
    let path = format!("{}/../../../shared/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let text =
        std::fs::read_to_string(&path).map_err(|e| eprintln!("skipped: {path}: {e}")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// A list of numbers (true and false are 1 and 0).
pub(crate) fn floats(value: &Value) -> Vec<f64> {
    let number = |v: &Value| v.as_f64().or(v.as_bool().map(|b| f64::from(u8::from(b))));
    value.as_array().unwrap().iter().map(|v| number(v).unwrap()).collect()
}

/// A list of counts.
#[allow(dead_code, reason = "not every test file has counts")]
pub(crate) fn counts(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect()
}

/// A list of lists of numbers.
#[allow(dead_code, reason = "not every test file has tables")]
pub(crate) fn table(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(floats).collect()
}

/// Compares values and counts the comparisons.
pub(crate) struct Check {
    tolerance: f64,
    run: usize,
}

#[allow(dead_code, reason = "not every test file uses every comparison")]
impl Check {
    /// Comparisons to `tolerance`, absolute below 1 and relative above.
    pub(crate) fn new(tolerance: f64) -> Self {
        Self { tolerance, run: 0 }
    }

    /// Both must be numbers and equal to `tolerance`.
    pub(crate) fn close(&mut self, name: &str, got: &Value, expect: &Value, tolerance: f64) {
        let (Some(g), Some(e)) = (got.as_f64(), expect.as_f64()) else {
            panic!("{name}: {got} against {expect}");
        };
        assert!((g - e).abs() <= tolerance * e.abs().max(1.0), "{name}: {g} is not {e}");
        self.run += 1;
    }

    /// Both must be numbers and equal.
    pub(crate) fn equal(&mut self, name: &str, got: &Value, expect: &Value) {
        self.close(name, got, expect, self.tolerance);
    }

    /// `got` equals `expect` where the file has it.
    pub(crate) fn given(&mut self, name: &str, got: f64, expect: &Value) {
        self.present(name, &Value::from(got), expect);
    }

    /// As `given`, on values.
    pub(crate) fn present(&mut self, name: &str, got: &Value, expect: &Value) {
        if !expect.is_null() {
            self.equal(name, got, expect);
        }
    }

    /// The same value, whatever it is.
    pub(crate) fn same(&mut self, name: &str, got: &Value, expect: &Value) {
        assert_eq!(got, expect, "{name}");
        self.run += 1;
    }

    /// So many comparisons must have run.
    #[allow(clippy::print_stderr, reason = "the count of cases is part of the evidence")]
    pub(crate) fn done(self, expect: usize) {
        eprintln!("{} comparisons", self.run);
        assert_eq!(self.run, expect, "comparisons run");
    }
}
