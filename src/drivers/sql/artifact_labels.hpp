#pragma once

#include "drivers/sql/sql_session.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace entrepot {

// An artifact's row keeps its labels as lists show them, and NULL where they are too many, or were too many artifacts'
// to be written anew at once. Texts are read after the artifacts' rows are locked, so that of two changes the later one
// sees what the earlier one did.

// To be called in every transaction that changes an artifact's labels. Its repository is locked.
Result<> refresh_artifact_labels(SqlSession& session, std::int64_t manifest_id);

// Around a change of a label that artifacts carry; the label is locked. hold() before, show() after.
class LabelCarriers {
public:
    LabelCarriers(SqlSession& session, std::int64_t label_id) : session_{session}, label_id_{label_id} {}

    Result<> hold();
    Result<> show();

private:
    SqlSession& session_;
    std::int64_t label_id_;
    std::vector<std::int64_t> held_;
};

// The labels of these artifacts as the API shows them, in one query for up to 256 of them; those without a label too.
Result<std::map<std::int64_t, std::string>>
read_artifact_labels(SqlSession& session, std::span<const std::int64_t> manifest_ids);

}  // namespace entrepot
