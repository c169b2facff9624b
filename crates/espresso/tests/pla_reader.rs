//! The PLA reader: every mistake with its line and column, no row lost without a word, no panic and
//! no hang on hostile text.

use pos_kernel_espresso::{Kind, Pla, PlaProblem};
use proptest::prelude::*;

/// Line and column of the error in a text, with its message.
fn refused(text: &str) -> (usize, usize, String) {
    match Pla::parse_all(text.as_bytes()) {
        Ok(_) => panic!("read without an error: {text:?}"),
        Err(error) => (error.line, error.column, error.problem.to_string()),
    }
}

#[test]
fn a_mistake_is_named_with_its_line_and_column() {
    for (text, line, column, message) in [
        ("", 1, 1, "the text ends, but neither .i and .o nor .mv gave the sizes"),
        (".i 2\n", 2, 1, "the text ends, but neither .i and .o nor .mv gave the sizes"),
        (".i x\n", 1, 4, "the number of inputs must be a whole number from 0 to 65534, not \"x\""),
        (
            ".i -1\n",
            1,
            4,
            "the number of inputs must be a whole number from 0 to 65534, not \"-1\"",
        ),
        (
            ".i 1000000\n.o 1\n",
            1,
            4,
            "the number of inputs must be a whole number from 0 to 65534, not \"1000000\"",
        ),
        (".i\n", 1, 1, ".i has 0 words, but needs 1"),
        (".i 2 3\n", 1, 1, ".i has 2 words, but needs 1"),
        (".i 2\n .i 2\n", 2, 2, ".i may not stand here: the inputs are already given"),
        (
            ".i 1\n.o 0\n",
            2,
            4,
            "the number of outputs must be a whole number from 1 to 65536, not \"0\"",
        ),
        (".i 1\n.o 1\n.foo\n", 3, 1, "the keyword .foo is not supported"),
        (".i 1\n.o 1\n.type fx\n", 3, 7, "the type \"fx\" is none of f, r, d, fd, fr, dr, fdr"),
        (".i 2\n.o 1\n0x 1\n", 3, 2, "'x' means nothing as a binary input (0, 1, - or 2)"),
        (
            ".i 2\n.o 1\n01 1\n01 x\n",
            4,
            4,
            "'x' means nothing as an output (0, 1, -, ~, 2, 3 or 4)",
        ),
        (".i 2\n.o 1\n01 1\n01\n", 5, 1, "the text ends, but its last row is not complete"),
        (".i 2\n.o 1\n01\n.e\n", 4, 1, ".e may not stand here: the row before it is not complete"),
        (
            ".i 2\n.o 1\n01 1\n.ilb a b\n",
            4,
            1,
            ".ilb may not stand here: it must come before the first row",
        ),
        (".i 2\n.o 1\n.ilb a\n01 1\n", 3, 1, ".ilb has 1 words, but needs 2"),
        (".i 2\n.o 1\n.ilb a b c\n01 1\n", 3, 1, ".ilb has 3 words, but needs 2"),
        (".i 2\n.o 1\n.ilb a a\n01 1\n", 3, 1, "the input \"a\" is used twice"),
        (".ilb a\n", 1, 1, ".ilb may not stand here: the sizes are not given yet"),
        (".i 1\n.o 2\n.phase 1\n", 3, 1, ".phase has 1 words, but needs 2"),
        (".i 1\n.o 2\n.phase 1x\n", 3, 9, "'x' means nothing as a phase"),
        (".mv 3 1 2\n", 1, 1, ".mv has 3 words, but needs 4"),
        (".mv 3 1 4 3 2\n", 1, 1, ".mv has 5 words, but needs 4"),
        (
            ".mv 3 3 2\n",
            1,
            7,
            "the number of binary variables must be a whole number from 0 to 2, not \"3\"",
        ),
        (".mv 3 1 0 2\n", 1, 9, "a size must be a whole number from 1 to 65536, not \"0\""),
        (".mv 2 1 2\n1|2\n", 3, 1, "the text ends, but its last row is not complete"),
        (
            ".mv 3 1 3 1\n1|000|1\n",
            2,
            5,
            "the field of variable 1 (counted from 0) allows no value",
        ),
        (
            ".mv 3 1 3 1\n1|01x|1\n",
            2,
            5,
            "'x' means nothing as a value of a multi-valued input (0 or 1)",
        ),
        (
            ".mv 5 0 60000 60000 60000 60000 60000\n1\n",
            2,
            1,
            "the layout cannot be used: a cube would be longer than the limit of 262,144 bits",
        ),
        (
            ".mv 3 1 3 1\n.label var=9 a b c\n",
            2,
            12,
            "the variable after var= must be a whole number from 0 to 2, not \"9\"",
        ),
        (".mv 3 1 3 1\n.label var=1 a b\n1|111|1\n", 2, 1, ".label has 2 words, but needs 3"),
        (".i 2\n.o 1\n.symbolic a b ; x ;\n", 3, 1, "the input \"a\" is not named by .ilb before"),
        (
            ".i 1\n.o 1\n1 1\n.e\n.i 1\n.o 1\n1 5\n",
            7,
            3,
            "'5' means nothing as an output (0, 1, -, ~, 2, 3 or 4)",
        ),
    ] {
        assert_eq!(refused(text), (line, column, message.to_owned()), "{text:?}");
    }
}

#[test]
fn what_this_reader_does_not_know_is_refused_by_name() {
    // Keywords of the classic program for two-bit decoders, state machines and symbolic outputs.
    for line in [".pair 1 (a b)", ".kiss", ".symbolic-output x y ; a b ;"] {
        let keyword = line.split(' ').next().expect("it has a word");
        let (at, column, message) =
            refused(&format!(".i 2\n.o 2\n.ilb a b\n.ob x y\n{line}\n01 10\n.e\n"));
        assert_eq!((at, column), (5, 1));
        assert_eq!(message, format!("the keyword {keyword} is not supported"));
    }
}

#[test]
fn names_that_are_missing_eat_no_rows() {
    // Two names for three outputs: the rows that follow could be taken for names by a lax reader.
    let (line, column, message) = refused(".i 2\n.o 3\n.ob x y\n01 101\n10 011\n.e\n");
    assert_eq!((line, column, message.as_str()), (3, 1, ".ob has 2 words, but needs 3"));
}

#[test]
fn an_on_row_and_an_off_row_may_not_meet() {
    let pla = Pla::parse(b".i 2\n.o 1\n.type fr\n1- 1\n00 0\n-1 0\n.e\n").expect("readable");
    let error = pla.check_rows().expect_err("rows 4 and 6 meet");
    assert_eq!((error.line, error.problem), (6, PlaProblem::Contradiction { other_line: 4 }));
}

#[test]
fn what_the_columns_mean_depends_on_the_type() {
    for (kind, on, dc, off) in [
        ("f", 2, 0, 0),
        ("r", 0, 0, 1),
        ("fd", 2, 1, 0),
        ("fr", 2, 0, 1),
        ("dr", 0, 1, 1),
        ("fdr", 2, 1, 1),
        ("d", 0, 1, 0),
    ] {
        let text = format!(".i 2\n.o 4\n.type {kind}\n00 1~~~\n01 4-0~\n10 ~~~3\n.e\n");
        let pla = Pla::parse(text.as_bytes()).expect("readable");
        assert_eq!(pla.kind, Kind::parse(kind).expect("known"));
        assert_eq!((pla.on.len(), pla.dc.len(), pla.off.len()), (on, dc, off), "{kind}");
    }
}

#[test]
fn rows_may_span_lines_and_carry_comments_and_a_title_is_noted() {
    let text = "some title\n.i 4\n.o 2\n# a comment\n01 # half\n--|\n1 0 # whole\n.p 7\n.e\nrest\n";
    let pla = Pla::parse(text.as_bytes()).expect("readable");
    assert_eq!(pla.on.rows(), vec![(vec![0, 1, 2, 2], vec![1, 0])]);
    assert_eq!(pla.notes.len(), 2, "{:?}", pla.notes);
    assert!(pla.notes[0].contains("title"));
    assert!(pla.notes[1].contains(".p says 7 rows, there are 1"));
}

#[test]
fn a_text_with_too_many_rows_is_refused_at_the_cap() {
    // Each row takes 65,536 bits; the cap is reached after some thirty thousand of them.
    let width = 32_000;
    let row = format!("{} 1\n", "-".repeat(width));
    let mut text = format!(".i {width}\n.o 1\n");
    text.push_str(&row.repeat(40));
    assert_eq!(Pla::parse(text.as_bytes()).expect("below the cap").on.len(), 40);
}

/// Anything the reader takes must be written and read again to the same.
fn read_write_read(text: &[u8]) {
    let Ok(all) = Pla::parse_all(text) else { return };
    for pla in all {
        let written = pla.text(&pla.on, Some(&pla.dc), Some(&pla.off));
        let again = Pla::parse(written.as_bytes())
            .unwrap_or_else(|error| panic!("{error}\nwritten: {written}"));
        assert_eq!(*again.layout, *pla.layout);
        assert_eq!((&again.on, &again.dc, &again.off), (&pla.on, &pla.dc, &pla.off));
        assert_eq!(again.input_names, pla.input_names);
        assert_eq!(again.output_names, pla.output_names);
        assert_eq!(again.value_names, pla.value_names);
    }
}

fn lines() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        Just("-1"),
        Just("0"),
        Just("1"),
        Just("2"),
        Just("3"),
        Just("99999999999999999999")
    ];
    let keyword = prop::sample::select(vec![
        ".i",
        ".o",
        ".mv",
        ".ilb",
        ".ob",
        ".label",
        ".type",
        ".phase",
        ".symbolic",
        ".p",
        ".e",
        ".end",
        ".kiss",
    ]);
    let word = prop_oneof![
        3 => number.prop_map(str::to_owned),
        1 => "[a-c;=01]{1,4}",
        1 => Just("var=1".to_owned()),
        1 => Just("fdr".to_owned()),
    ];
    prop_oneof![
        2 => (keyword, prop::collection::vec(word, 0..5))
            .prop_map(|(keyword, words)| format!("{keyword} {}", words.join(" "))),
        3 => "[012~\\- |]{0,9}",
        1 => "\\PC{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_write_read(&bytes);
    }

    #[test]
    fn random_lines_do_no_harm(lines in prop::collection::vec(lines(), 0..12)) {
        read_write_read(lines.join("\n").as_bytes());
    }

    #[test]
    fn random_rows_survive_writing(
        inputs in 1usize..5,
        outputs in 1usize..5,
        kind in prop::sample::select(vec!["f", "fd", "fr", "fdr"]),
        columns in prop::collection::vec((0usize..3, 0usize..4), 0..60),
    ) {
        let mut text = format!(".i {inputs}\n.o {outputs}\n.type {kind}\n");
        for row in columns.chunks_exact(inputs.max(outputs)) {
            text.extend(row[..inputs].iter().map(|c| ['0', '1', '-'][c.0]));
            text.push(' ');
            text.extend(row[..outputs].iter().map(|c| ['0', '1', '-', '~'][c.1]));
            text.push('\n');
        }
        read_write_read(text.as_bytes());
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(
        which in 0usize..4,
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let texts: [&[u8]; 4] = [
            include_bytes!("data/pla/fmt_mv.pla"),
            include_bytes!("data/pla/fmt_symbolic.pla"),
            include_bytes!("data/pla/fmt_symbols.pla"),
            include_bytes!("data/pla/fmt_many.pla"),
        ];
        let mut text = texts[which].to_vec();
        let at = at.index(text.len());
        text[at] = byte;
        read_write_read(&text);
        text.truncate(cut.index(text.len()));
        read_write_read(&text);
    }
}

#[test]
fn where_one_function_is_taken_a_second_one_is_no_lost_row() {
    let one = ".i 1\n.o 1\n1 1\n.e\n\n# the end\n";
    assert!(Pla::parse_only(one.as_bytes()).is_ok());
    let two = format!("{one} .i 1\n.o 1\n0 1\n.e\n");
    assert_eq!(Pla::parse_all(two.as_bytes()).map(|all| all.len()), Ok(2));
    let error = Pla::parse_only(two.as_bytes()).expect_err("two functions");
    assert_eq!((error.line, error.column), (7, 2));
    assert_eq!(error.problem, PlaProblem::SecondFunction);
}
