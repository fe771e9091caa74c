//! Makes one HTML document of the modules in `page` and compresses it, for `src/http/page.rs` to include. It needs no
//! other program, so the crate's package builds by itself.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    #[cfg(feature = "http")]
    document::write()?;
    Ok(())
}

#[cfg(feature = "http")]
mod document {
    use std::error::Error;
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    /// The strongest level of miniz_oxide.
    const LEVEL: u8 = 10;

    pub(crate) fn write() -> Result<(), Box<dyn Error>> {
        println!("cargo:rerun-if-changed=page");
        let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("page");
        let mut script = String::new();
        append_module(&folder.join("main.mjs"), &mut Vec::new(), &mut script)?;
        let style = without_layout(&fs::read_to_string(folder.join("style.css"))?);
        let html = without_layout(&fs::read_to_string(folder.join("index.html"))?);
        let html = filled(&html, "/* STYLE */", &style)?;
        let html = filled(&html, "/* SCRIPT */", &script)?;
        let target = Path::new(&env::var("OUT_DIR")?).join("page.html.deflate");
        fs::write(target, miniz_oxide::deflate::compress_to_vec(html.as_bytes(), LEVEL))?;
        Ok(())
    }

    /// Puts a text in the place of a word that the document has once.
    fn filled(html: &str, word: &str, text: &str) -> Result<String, String> {
        match html.split(word).collect::<Vec<_>>()[..] {
            [before, after] => Ok([before, text, after].concat()),
            _ => Err(format!("page/index.html must have the word {word} once")),
        }
    }

    /// Appends a module behind those that it imports. All modules share one scope: an import becomes nothing, and an
    /// export a plain declaration.
    fn append_module(
        file: &Path,
        seen: &mut Vec<PathBuf>,
        script: &mut String,
    ) -> Result<(), Box<dyn Error>> {
        if seen.iter().any(|other| other == file) {
            return Ok(());
        }
        seen.push(file.to_owned());
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut own = String::new();
        let mut import = String::new();
        for line in text.lines() {
            if !import.is_empty() || line.starts_with("import ") {
                import.push_str(line);
                if let Some((_, rest)) = import.split_once(" from './") {
                    let name = rest.trim_end_matches("';").to_owned();
                    append_module(&file.with_file_name(name), seen, script)?;
                    import.clear();
                }
                continue;
            }
            own.push_str(line.strip_prefix("export ").unwrap_or(line));
            own.push('\n');
        }
        script.push_str(&without_layout(&own));
        Ok(())
    }

    /// Leaves out comments on lines of their own, indentation and empty lines. The sources have no text that this changes:
    /// a test of the page looks for template literals of several lines.
    fn without_layout(text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut in_comment = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("/*") || in_comment {
                let code = line.split_once("*/").map(|(_, code)| code);
                in_comment = code.is_none();
                assert!(code.is_none_or(str::is_empty), "code behind a comment is left out: {line}");
            } else if !line.is_empty() && !line.starts_with("//") {
                out.push_str(line);
                out.push('\n');
            }
        }
        out
    }
}
