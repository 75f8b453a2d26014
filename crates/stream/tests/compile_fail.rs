//! Validation that is augmented or mixed does not compile.

#[test]
fn an_evaluation_stream_has_no_place_for_a_transform_or_a_mix() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
