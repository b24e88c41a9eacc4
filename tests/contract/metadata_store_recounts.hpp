#pragma once

#include "drivers/sql/project_budget.hpp"

#include <string>
#include <vector>

namespace entrepot::contract {

// Numbers that a list shows and that are kept with every change: each query counts where they differ from what they
// are made of.
inline const std::vector<std::string>& recounts()
{
    static const std::string indexes =
        "('application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json')";
    static const std::string parents =
        "(SELECT COUNT(*) FROM manifest_children c JOIN manifests p ON p.id = c.manifest_id "
        "WHERE c.digest = a.digest AND p.repository_id = a.repository_id)";
    static const std::string tags = "(SELECT COUNT(*) FROM tags t WHERE t.manifest_id = a.manifest_id)";
    static const std::string used = "EXISTS (SELECT 1 FROM manifest_blobs u JOIN manifests m ON m.id = u.manifest_id "
                                    "WHERE u.blob_id = l.blob_id AND m.repository_id = l.repository_id)";
    static const std::string linked = "EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = b.id UNION ALL "
                                      "SELECT 1 FROM trash_blobs x WHERE x.blob_id = b.id)";
    static const std::vector<std::string> queries{
        // What garbage collection goes by: links that are used, blobs that are held, manifests that are kept.
        "SELECT COUNT(*) FROM repository_blobs l WHERE CASE WHEN l.unused_since = 0 THEN 1 ELSE 0 END <> "
        "CASE WHEN " +
            used + " THEN 1 ELSE 0 END",
        "SELECT COUNT(*) FROM blobs b WHERE CASE WHEN b.state IN (0, 4) THEN 1 ELSE 0 END <> CASE WHEN " + linked +
            " THEN 1 ELSE 0 END",
        // Repositories and what was deleted hold the blobs that a project is charged for.
        "SELECT COUNT(*) FROM project_blobs x WHERE x.links <> "
        "(SELECT COUNT(*) FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id WHERE "
        "l.blob_id = x.blob_id AND r.project_id = x.project_id) + (SELECT COUNT(*) FROM trash_blobs h JOIN "
        "trash_manifests k ON k.id = h.manifest_id WHERE h.blob_id = x.blob_id AND k.project_id = x.project_id)",
        "SELECT COUNT(*) FROM trash_blobs h JOIN trash_manifests k ON k.id = h.manifest_id WHERE NOT EXISTS "
        "(SELECT 1 FROM project_blobs x WHERE x.project_id = k.project_id AND x.blob_id = h.blob_id)",
        "SELECT COUNT(*) FROM trash t WHERE t.manifests <> "
        "(SELECT COUNT(*) FROM trash_manifests k WHERE k.trash_id = t.id)",
        "SELECT COUNT(*) FROM manifest_blobs u JOIN manifests m ON m.id = u.manifest_id "
        "WHERE u.repository_id <> m.repository_id",
        "SELECT COUNT(*) FROM artifacts a WHERE CASE WHEN a.dead_kind = 0 THEN 1 ELSE 0 END <> "
        "CASE WHEN a.tag_count > 0 OR a.parents > 0 OR EXISTS (SELECT 1 FROM manifests s WHERE s.repository_id = "
        "a.repository_id AND s.digest = a.subject_digest) THEN 1 ELSE 0 END",
        "SELECT COUNT(*) FROM artifacts a WHERE a.parents <> " + parents,
        "SELECT COUNT(*) FROM artifacts a WHERE a.tag_count <> " + tags,
        "SELECT COUNT(*) FROM artifacts a WHERE a.listed <> "
        "CASE WHEN a.subject_digest IS NULL AND (a.tag_count > 0 OR a.parents = 0) THEN 1 ELSE 0 END",
        "SELECT COUNT(*) FROM artifacts a WHERE a.accessories <> (SELECT COUNT(*) FROM artifacts s "
        "WHERE s.repository_id = a.repository_id AND s.subject_digest = a.digest)",
        "SELECT COUNT(*) FROM artifacts a JOIN manifests m ON m.id = a.manifest_id JOIN repositories r ON "
        "r.id = m.repository_id WHERE a.digest <> m.digest OR a.repository_id <> r.id OR a.project_id <> r.project_id",
        "SELECT COUNT(*) FROM manifests m WHERE NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.manifest_id = m.id)",
        "SELECT COUNT(*) FROM artifacts a WHERE a.tags IS NOT NULL AND "
        "(LENGTH(a.tags) - LENGTH(REPLACE(a.tags, '\"name\":', ''))) <> 7 * " +
            tags,
        "SELECT COUNT(*) FROM artifacts a JOIN tags t ON t.manifest_id = a.manifest_id "
        "WHERE a.tags NOT LIKE '%\"name\":\"' || t.name || '\"%'",
        // An index weighs what it is and what is there of its children.
        "SELECT COUNT(*) FROM artifacts a JOIN manifests m ON m.id = a.manifest_id WHERE a.media_type IN " + indexes +
            " AND a.size <> m.size + COALESCE((SELECT SUM(CASE WHEN k.media_type IN " + indexes +
            " THEN n.size ELSE k.size END) FROM manifest_children c JOIN manifests n ON n.digest = c.digest AND "
            "n.repository_id = a.repository_id JOIN artifacts k ON k.manifest_id = n.id "
            "WHERE c.manifest_id = a.manifest_id), 0)",
        // Each child is in the text with the id that it has, or 0.
        "SELECT COUNT(*) FROM artifacts a JOIN manifest_children c ON c.manifest_id = a.manifest_id "
        "WHERE a.children NOT LIKE '%{\"child_digest\":\"' || c.digest || '\",\"child_id\":' || "
        "COALESCE((SELECT m.id FROM manifests m WHERE m.digest = c.digest AND m.repository_id = a.repository_id), 0) "
        "|| ',%'",
        "SELECT COUNT(*) FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE 1 <> (SELECT COUNT(*) FROM "
        "tag_history h WHERE h.repository_id = t.repository_id AND h.tag = t.name AND h.until = 0 AND "
        "h.digest = m.digest)",
        "SELECT (SELECT COUNT(*) FROM tag_history WHERE until = 0) - (SELECT COUNT(*) FROM tags)",
        "SELECT COUNT(*) FROM projects p WHERE p.immutable_rules <> "
        "(SELECT COUNT(*) FROM immutable_rules x WHERE x.project_id = p.id AND x.disabled = 0)",
        "SELECT COUNT(*) FROM projects p WHERE p.push_policies <> "
        "(SELECT COUNT(*) FROM push_policies x WHERE x.project_id = p.id AND x.disabled = 0)",
        "SELECT COUNT(*) FROM repositories r WHERE r.artifact_count <> "
        "(SELECT COUNT(*) FROM artifacts a WHERE a.repository_id = r.id AND a.listed = 1)",
        "SELECT COUNT(*) FROM projects p WHERE " PROJECT_ARTIFACTS " <> "
        "(SELECT COUNT(*) FROM artifacts a WHERE a.project_id = p.id AND a.listed = 1)",
        "SELECT COUNT(*) FROM projects p WHERE p.repository_count <> "
        "(SELECT COUNT(*) FROM repositories r WHERE r.project_id = p.id)",
        "SELECT COUNT(*) FROM list_chunks WHERE entries <= 0",
        "SELECT COUNT(*) FROM list_chunks x WHERE x.list = 'repository' AND x.entries <> (SELECT COUNT(*) FROM "
        "artifacts a WHERE a.listed = 1 AND a.repository_id = x.id AND a.manifest_id / 4096 = x.chunk)",
        "SELECT COUNT(*) FROM list_chunks x WHERE x.list = 'project' AND x.entries + COALESCE((SELECT "
        "SUM(d.artifacts) FROM project_deltas d WHERE d.project_id = x.id AND d.chunk = x.chunk), 0) <> (SELECT "
        "COUNT(*) FROM artifacts a WHERE a.listed = 1 AND a.project_id = x.id AND a.manifest_id / 4096 = x.chunk)",
        "SELECT COUNT(*) FROM list_chunks x WHERE x.list = 'repositories' AND x.entries <> (SELECT COUNT(*) FROM "
        "repositories r WHERE r.project_id = x.id AND r.id / 4096 = x.chunk)",
        "SELECT COUNT(*) FROM list_chunks x WHERE x.list = 'catalog' AND x.entries <> (SELECT COUNT(*) FROM "
        "repositories r WHERE r.id / 4096 = x.chunk)",
        "SELECT (SELECT COUNT(*) FROM artifacts WHERE listed = 1) - "
        "COALESCE((SELECT SUM(entries) FROM list_chunks WHERE list = 'repository'), 0)",
        "SELECT (SELECT COUNT(*) FROM artifacts WHERE listed = 1) - "
        "COALESCE((SELECT SUM(entries) FROM list_chunks WHERE list = 'project'), 0) - "
        "COALESCE((SELECT SUM(artifacts) FROM project_deltas), 0)",
        "SELECT (SELECT COUNT(*) FROM repositories) - "
        "COALESCE((SELECT SUM(entries) FROM list_chunks WHERE list = 'catalog'), 0)",
        "SELECT COUNT(*) FROM projects p WHERE " PROJECT_BYTES " <> COALESCE((SELECT SUM(m.size) FROM manifests m "
        "JOIN repositories r ON r.id = m.repository_id WHERE r.project_id = p.id), 0) + "
        "COALESCE((SELECT SUM(b.size) FROM project_blobs x JOIN blobs b ON b.id = x.blob_id "
        "WHERE x.project_id = p.id), 0)",
    };
    return queries;
}

}  // namespace entrepot::contract
